// The decision: a refusal needs a reason, and one press is one decision.

export function attachDecisions() {
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-decides]");
    if (!form) return;
    const needs = event.submitter?.dataset.needs;
    const field = needs && form.elements.namedItem(needs);
    if (field && !field.value.trim()) {
      event.preventDefault();
      field.setCustomValidity("Say why: a refusal needs a reason.");
      field.reportValidity();
      return;
    }
    setTimeout(() => {
      for (const button of form.querySelectorAll("button")) button.disabled = true;
    });
  });
  document.addEventListener("input", (event) => event.target.setCustomValidity?.(""));
}
