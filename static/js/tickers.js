// The markets list: best prices of every symbol, each with its own age and state.

import { fromUnits, grouped, placesOf, toUnits } from "./exact.js";

const WORDS = { live: "Live", stale: "Stale", syncing: "Syncing", away: "No data" };
const TONES = { live: "good", stale: "warn", syncing: "busy", away: "bad" };

class Line {
  constructor(row, live) {
    this.live = live;
    this.places = Number(row.dataset.pricePlaces || 2);
    this.staleAfter = Number(row.dataset.staleSeconds || 5) * 1000;
    this.parts = Object.fromEntries([...row.querySelectorAll("[data-tick]")].map((part) => [part.dataset.tick, part]));
    this.ticker = null;
  }

  take(ticker) {
    this.ticker = ticker;
    const { bid, ask } = ticker;
    this.#write("bid", bid ? grouped(bid, this.places) : "–");
    this.#write("ask", ask ? grouped(ask, this.places) : "–");
    if (bid && ask) {
      const [low, high] = [toUnits(bid, this.places), toUnits(ask, this.places)];
      this.#write("spread", grouped(fromUnits(high - low, this.places)));
      this.#write("bps", ((Number(high - low) / Number(high + low)) * 20000).toFixed(2));
    }
    this.age();
  }

  age() {
    if (!this.ticker) return;
    const age = this.live.now() - Date.parse(this.ticker.received_at);
    let state = this.ticker.state;
    if (state === "live" && (age > this.staleAfter || this.live.state === "away")) state = "stale";
    this.#write("state", WORDS[state] ?? state);
    if (this.parts.state) this.parts.state.className = `badge badge-${TONES[state] ?? "warn"}`;
    this.#write("age", `${(Math.max(0, age) / 1000).toFixed(1)} s`);
  }

  #write(name, text) {
    const part = this.parts[name];
    if (part && part.textContent !== text) part.textContent = text;
  }
}

// A list that does not know its symbols beforehand gets a row for each it hears of.
function rowFor(ticker, element) {
  const row = element.querySelector("template").content.querySelector("tr").cloneNode(true);
  const link = row.querySelector("a");
  link.textContent = ticker.symbol;
  row.querySelector(".venue").textContent = ticker.venue.replaceAll("_", " ");
  link.href = `${element.dataset.markets}${ticker.venue}/${encodeURIComponent(ticker.symbol)}/`;
  row.dataset.pricePlaces = Math.max(placesOf(ticker.bid ?? ""), placesOf(ticker.ask ?? ""));
  row.dataset.staleSeconds = element.dataset.staleSeconds;
  element.querySelector("tbody").append(row);
  element.hidden = false;
  return row;
}

export function attach(element, live, channel) {
  const grows = Boolean(element.querySelector("template"));
  const lines = new Map([...element.querySelectorAll("[data-symbol]")].map((row) => [row.dataset.symbol, new Line(row, live)]));
  live.subscribe(channel, {
    data: ({ tickers }) => {
      for (const ticker of [...tickers].sort((a, b) => `${a.symbol} ${a.venue}`.localeCompare(`${b.symbol} ${b.venue}`))) {
        const name = `${ticker.venue}:${ticker.symbol}`;
        if (grows && !lines.has(name)) lines.set(name, new Line(rowFor(ticker, element), live));
        lines.get(name)?.take(ticker);
      }
    },
  });
  live.addEventListener("tick", () => lines.forEach((line) => line.age()));
}
