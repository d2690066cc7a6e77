// The number beside Approvals in the admin's navigation, as live as on the desk. The admin draws it
// once; from then on it is read again whenever a request changes, and now and then all the same.

import { coalesced, parsed, read } from "./fragments.js";
import { Live, liveUrl } from "./live.js";

const EVERY = 60000;
const WAIT = 250;

function place(link) {
  const found = link.querySelector("[data-approvals-count]");
  if (found) return found;
  // Whatever the admin drew beside the title gives way to a place that can be written again.
  const title = [...link.children].find((child) => child.matches("span:not(.material-symbols-outlined)"));
  while (title?.nextElementSibling) title.nextElementSibling.remove();
  const made = document.createElement("span");
  made.dataset.approvalsCount = "";
  made.className = "approvals-count";
  link.append(made);
  return made;
}

const source = document.querySelector('meta[name="approvals-count"]');
const links = source ? [...document.querySelectorAll(`nav a[href="${CSS.escape(source.dataset.page)}"]`)] : [];
if (links.length) {
  const again = coalesced(async () => {
    const fresh = parsed(await (await read(source.content)).text());
    for (const link of links) place(link).replaceChildren(fresh.cloneNode(true));
  }, WAIT);
  again();
  new Live(liveUrl()).subscribe("approvals", { data: again, reread: again });
  setInterval(again, EVERY);
}
