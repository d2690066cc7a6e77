// The decision: a refusal needs a reason, what is severe is confirmed first, and one press is one decision.

function ask(field, words) {
  field.setCustomValidity(words);
  field.reportValidity();
}

// The field that stands against this press, and what it asks for.
function missing(form, button) {
  const { needs, or, confirms } = button?.dataset ?? {};
  const confirmed = confirms && document.getElementById(confirms);
  if (confirmed && !confirmed.checked) return [confirmed, "Confirm this first, to approve."];
  const field = needs && form.elements.namedItem(needs);
  const code = or && form.elements.namedItem(or);
  if (!field || field.value.trim()) return null;
  if (code && code.value && code.value !== "other") return null;
  return code?.value === "other" ? [field, "Say which reason."] : [code ?? field, "Say why: a refusal needs a reason."];
}

export function attachDecisions() {
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-decides]");
    if (!form) return;
    const found = missing(form, event.submitter);
    if (found) {
      event.preventDefault();
      ask(...found);
      return;
    }
    setTimeout(() => {
      for (const button of form.querySelectorAll("button")) button.disabled = true;
    });
  });
  // What was complained about is about to change, in whichever field it is made good.
  document.addEventListener("input", (event) => {
    for (const field of event.target.form?.elements ?? []) field.setCustomValidity?.("");
  });
}
