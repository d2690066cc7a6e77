// The tape: the latest trades of one symbol, newest first.

import { grouped } from "./exact.js";

const KEPT = 30;

export function attach(element, live, channel) {
  const body = element.querySelector("tbody");
  const places = { price: Number(element.dataset.pricePlaces || 2), quantity: Number(element.dataset.quantityPlaces || 8) };
  const zone = document.body.dataset.zone || "UTC";
  const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium", timeZone: zone });
  const seen = new Set();

  function row(trade) {
    const line = document.createElement("tr");
    const side = trade.side === "buy" ? "Buy" : "Sell";
    const cells = [
      [side, `side side-${trade.side}`],
      [grouped(trade.price, places.price), "num"],
      [grouped(trade.quantity, places.quantity), "num"],
      [trade.time ? clock.format(new Date(trade.time)) : "–", "num dim"],
    ];
    for (const [text, className] of cells) {
      const cell = document.createElement("td");
      cell.className = className;
      cell.textContent = text;
      line.append(cell);
    }
    return line;
  }

  live.subscribe(channel, {
    data: ({ trades }) => {
      const fresh = trades.filter((trade) => !seen.has(trade.id));
      if (!fresh.length) return;
      for (const trade of fresh) seen.add(trade.id);
      element.querySelector("[data-empty]")?.remove();
      body.prepend(...fresh.map(row));
      while (body.rows.length > KEPT) body.deleteRow(-1);
      if (seen.size > 2000) seen.clear();
    },
  });
}
