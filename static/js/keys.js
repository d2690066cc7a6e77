// The keyboard: never while somebody types.

import { tickFocused } from "./ticks.js";

const PENDING_FOR = 1200;

function isTyping(target) {
  return target.closest?.("input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]");
}

function rows() {
  return [...document.querySelectorAll("main [data-row]")].filter((link) => link.offsetParent);
}

function step(by) {
  const links = rows();
  if (!links.length) return;
  const at = links.indexOf(document.activeElement.closest?.("[data-row]"));
  const next = at < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, at + by));
  links[next].focus();
  links[next].scrollIntoView({ block: "nearest" });
}

function closeWhatIsOpen() {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
  const navigation = document.querySelector("nav[data-open]");
  if (navigation) toggle(navigation.id);
}

function toggle(id) {
  const target = document.getElementById(id);
  const isOpen = target.toggleAttribute("data-open");
  document.querySelector(`[data-toggles="${id}"]`)?.setAttribute("aria-expanded", String(isOpen));
}

function go(key) {
  document.querySelector(`#navigation a[data-key="${CSS.escape(key)}"]`)?.click();
}

export function listenToKeys() {
  let afterG = 0;
  const single = {
    "/": () => document.querySelector("[data-search]")?.focus(),
    "?": () => document.getElementById("keys")?.showModal(),
    j: () => step(1),
    k: () => step(-1),
    x: tickFocused,
  };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      if (isTyping(event.target)) event.target.blur();
      closeWhatIsOpen();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
    if (Date.now() - afterG < PENDING_FOR) {
      afterG = 0;
      go(event.key);
      event.preventDefault();
    } else if (event.key === "g") {
      afterG = Date.now();
    } else if (Object.hasOwn(single, event.key)) {
      event.preventDefault();
      single[event.key]();
    } else {
      const wanted = document.querySelector(`[data-shortcut="${CSS.escape(event.key)}"]`);
      if (wanted) {
        // The key leads there, and Enter does it: one slip of a finger decides nothing.
        event.preventDefault();
        wanted.focus();
      }
    }
  });

  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
    const toggles = event.target.closest("[data-toggles]");
    if (toggles) toggle(toggles.dataset.toggles);
    const opens = event.target.closest("[data-opens]");
    if (opens) document.getElementById(opens.dataset.opens)?.showModal();
    if (event.target.matches("dialog[open]")) event.target.close();
  });
}
