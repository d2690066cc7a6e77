// Entry of every desk page: keyboard, freshness, and whatever the page declares by data-live.

import * as blotter from "./blotter.js";
import * as book from "./book.js";
import { listenToCopies } from "./copy.js";
import { countDown } from "./countdown.js";
import { attachDecisions } from "./decide.js";
import { showFreshness } from "./freshness.js";
import { listenToKeys } from "./keys.js";
import { Live, liveUrl } from "./live.js";
import * as reread from "./reread.js";
import * as tickers from "./tickers.js";
import { attachTicks } from "./ticks.js";
import { attachTicket } from "./ticket.js";
import * as trades from "./trades.js";

const DRAWN_BY = { blotter, book, reread, tickers, trades };

listenToKeys();
attachDecisions();
listenToCopies();
for (const form of document.querySelectorAll("form[data-ticket]")) attachTicket(form);
for (const form of document.querySelectorAll("form[data-ticks]")) attachTicks(form);

// Filters keep to the URL: what is not chosen is not in it, and choosing is enough.
for (const form of document.querySelectorAll("form.filters")) {
  form.addEventListener("formdata", ({ formData }) => {
    for (const [name, value] of [...formData]) if (!value) formData.delete(name);
  });
  form.addEventListener("change", (event) => {
    if (event.target.matches("[data-submits]")) form.requestSubmit();
  });
}

const parts = document.querySelectorAll("[data-live]");
const live = parts.length ? new Live(liveUrl()) : null;
countDown(() => (live ? live.now() : Date.now()));
if (live) {
  showFreshness(live);
  for (const part of parts) DRAWN_BY[part.dataset.draw].attach(part, live, part.dataset.live);
}

// A fragment that could not be fetched says so where the person is looking.
function fragmentFailed(event) {
  const place = event.detail.target?.closest("[data-fragment]") ?? event.detail.elt?.closest("[data-fragment]");
  if (!place) return;
  const words = document.createElement("p");
  words.className = "notice notice-bad";
  words.setAttribute("role", "alert");
  words.textContent = "The desk did not answer. Nothing was sent; try again in a moment.";
  place.replaceChildren(words);
}
document.body.addEventListener("htmx:sendError", fragmentFailed);
document.body.addEventListener("htmx:responseError", fragmentFailed);
