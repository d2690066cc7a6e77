// The ladder: fifteen levels a side, drawn at most once a frame, always with its age and state.

import { fromUnits, grouped, toUnits } from "./exact.js";

const LEVELS = 15;
const WORDS = { live: "Live", stale: "Stale", syncing: "Syncing", away: "No data" };
const TONES = { live: "good", stale: "warn", syncing: "busy", away: "bad" };

function cell(name, className) {
  const element = document.createElement(name);
  element.className = className;
  return element;
}

class Level {
  constructor(side) {
    this.row = cell("tr", `level level-${side}`);
    this.price = cell("button", "level-price");
    this.price.type = "button";
    this.price.tabIndex = -1;
    this.quantity = cell("td", "num");
    this.total = cell("td", "num level-total");
    const first = cell("td", "num");
    first.append(this.price);
    this.row.append(first, this.quantity, this.total);
    this.row.addEventListener("click", () => this.#chosen());
    this.text = "";
  }

  #chosen() {
    if (this.text) document.dispatchEvent(new CustomEvent("desk:price", { detail: this.text }));
  }

  show(level, total, share, places) {
    this.text = level?.[0] ?? "";
    this.row.classList.toggle("level-none", !level);
    this.price.textContent = level ? grouped(level[0], places.price) : "";
    this.quantity.textContent = level ? grouped(level[1], places.quantity) : "";
    this.total.textContent = level ? grouped(fromUnits(total, places.quantity)) : "";
    this.row.style.setProperty("--share", `${level ? share : 0}%`);
  }
}

class Ladder {
  constructor(element, live) {
    this.element = element;
    this.live = live;
    this.places = { price: Number(element.dataset.pricePlaces || 2), quantity: Number(element.dataset.quantityPlaces || 8) };
    this.staleAfter = Number(element.dataset.staleSeconds || 5) * 1000;
    this.parts = Object.fromEntries(
      ["state", "age", "spread", "mid", "bps", "updates", "bid", "ask"].map((name) => [name, element.querySelector(`[data-book="${name}"]`)]),
    );
    this.asks = Array.from({ length: LEVELS }, () => new Level("ask"));
    this.bids = Array.from({ length: LEVELS }, () => new Level("bid"));
    element.querySelector('[data-book="asks"]').replaceChildren(...this.asks.map((level) => level.row).reverse());
    element.querySelector('[data-book="bids"]').replaceChildren(...this.bids.map((level) => level.row));
    this.pause = element.querySelector("[data-pause]");
    this.pause?.addEventListener("click", () => this.#pause());
    this.book = null;
    this.waiting = false;
    live.addEventListener("tick", () => this.#drawState());
    live.addEventListener("state", () => this.#drawState());
  }

  take(book) {
    this.book = book;
    if (this.waiting || this.paused) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.#draw();
    });
  }

  #pause() {
    this.paused = !this.paused;
    this.pause.setAttribute("aria-pressed", String(Boolean(this.paused)));
    this.pause.textContent = this.paused ? "Resume" : "Pause";
    if (!this.paused && this.book) this.#draw();
    this.#drawState();
  }

  #draw() {
    const most = Math.max(this.#side(this.bids, this.book.bids, true), this.#side(this.asks, this.book.asks, true));
    this.#side(this.bids, this.book.bids, false, most);
    this.#side(this.asks, this.book.asks, false, most);
    this.#drawTouch();
    this.#drawState();
  }

  // Sum a side, or draw it against the larger of both sums so that the bars compare.
  #side(rows, levels, onlySum, most = 1) {
    let total = 0n;
    for (let i = 0; i < LEVELS; i += 1) {
      const level = levels[i];
      if (level) total += toUnits(level[1], this.places.quantity);
      if (!onlySum) rows[i].show(level, total, (Number(total) / most) * 100, this.places);
    }
    return Number(total);
  }

  #drawTouch() {
    const bid = this.book.bids[0]?.[0];
    const ask = this.book.asks[0]?.[0];
    const { price } = this.places;
    this.#write("bid", bid ? grouped(bid, price) : "–");
    this.#write("ask", ask ? grouped(ask, price) : "–");
    if (!bid || !ask) {
      for (const part of ["spread", "mid", "bps"]) this.#write(part, "–");
      return;
    }
    const [low, high] = [toUnits(bid, price), toUnits(ask, price)];
    this.#write("spread", grouped(fromUnits(high - low, price)));
    this.#write("mid", grouped(fromUnits(((low + high) * 10n) / 2n, price + 1)));
    this.#write("bps", `${((Number(high - low) / Number(low + high)) * 20000).toFixed(2)} bp`);
  }

  #drawState() {
    const age = this.book ? this.live.now() - Date.parse(this.book.received_at) : null;
    let state = this.book?.state ?? "away";
    if (state === "live" && (age > this.staleAfter || this.live.state === "away")) state = "stale";
    this.element.dataset.state = state;
    this.#write("state", this.paused ? `Paused · ${WORDS[state]}` : (WORDS[state] ?? state));
    if (this.parts.state) this.parts.state.className = `badge badge-${this.paused ? "busy" : (TONES[state] ?? "warn")}`;
    this.#write("age", age === null ? "nothing received yet" : `${(Math.max(0, age) / 1000).toFixed(1)} s old`);
    this.#write("updates", this.book ? `${this.book.updates.toLocaleString("en-GB")} updates since the start, ${this.book.resyncs === 1 ? "1 resync" : `${this.book.resyncs} resyncs`}` : "");
  }

  #write(part, text) {
    const element = this.parts[part];
    if (element && element.textContent !== text) element.textContent = text;
  }
}

export function attach(element, live, channel) {
  const ladder = new Ladder(element, live);
  live.subscribe(channel, {
    data: (book) => ladder.take(book),
    refused: (why) => element.querySelector('[data-book="age"]')?.replaceChildren(why),
  });
}
