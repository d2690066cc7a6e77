// Ticked rows of a list: by keyboard, all at once, and what they rest on said before they are sent.

function rowOf(element) {
  return element?.closest?.("[data-ticks] tbody tr");
}

function boxIn(row) {
  return row?.querySelector("input[type=checkbox][name=tick]");
}

// What a row rests on: as chosen in it, or else as it was suggested.
function evidenceOf(box) {
  const choice = rowOf(box).querySelector("select");
  return choice ? choice.selectedOptions[0].dataset.evidence : box.dataset.evidence;
}

function tell(form) {
  const counts = new Map();
  for (const box of form.querySelectorAll("tbody input[name=tick]:checked")) {
    const evidence = evidenceOf(box) || "nothing chosen yet";
    counts.set(evidence, (counts.get(evidence) ?? 0) + 1);
  }
  const words = form.querySelector("#ticked");
  if (!words) return;
  const all = [...counts.values()].reduce((sum, one) => sum + one, 0);
  const parts = [...counts].map(([evidence, count]) => `${count} on ${evidence}`);
  const isMixed = counts.size > 1;
  words.textContent = all ? `${all} ticked: ${parts.join(", ")}.${isMixed ? " Ask about one kind at a time." : ""}` : "Nothing is ticked.";
  words.classList.toggle("problem", isMixed);
}

export function tickFocused() {
  const box = boxIn(rowOf(document.activeElement));
  if (box) box.click();
}

export function attachTicks(form) {
  const all = form.querySelector("#tick-all");
  if (all) {
    all.hidden = false;
    all.addEventListener("change", () => {
      for (const box of form.querySelectorAll("tbody input[name=tick]")) {
        box.checked = all.checked && Boolean(evidenceOf(box));
      }
    });
  }
  form.addEventListener("change", (event) => {
    // Whoever chooses what a symbol stands for means it.
    if (event.target.matches("select[name=choice]")) boxIn(rowOf(event.target)).checked = Boolean(event.target.value);
    tell(form);
  });
  tell(form);
}
