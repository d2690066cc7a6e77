// One socket a page. It says how fresh the page is, comes back by itself, and tells every listener
// to read again whenever something may have been missed. Nothing here draws data.

const LATE_AFTER = 5000; // two heartbeats and a bit
const DEAD_AFTER = 9000;
const FIRST_DELAY = 1000;
const LONGEST_DELAY = 30000;
const SIGNED_OUT = 4401;

export const State = Object.freeze({
  CONNECTING: "connecting",
  LIVE: "live",
  DELAYED: "delayed",
  AWAY: "away",
  SIGNED_OUT: "signed-out",
});

export class Live extends EventTarget {
  #url;
  #socket = null;
  #channels = new Map();
  #attempts = 0;
  #timer = null;
  #lastHeard = Date.now();
  #serverIsLive = true;
  #request = 0;
  #skew = 0;
  #watching = false;

  state = State.CONNECTING;
  reason = "";
  since = new Date();

  constructor(url) {
    super();
    this.#url = url;
  }

  // The server's clock, so that ages do not depend on this machine's.
  now() {
    return Date.now() + this.#skew;
  }

  get silence() {
    return Date.now() - this.#lastHeard;
  }

  // A listener has data(payload, frame), reread(why) and refused(why); each may be missing.
  subscribe(channel, listener) {
    const known = this.#channels.get(channel);
    if (known) {
      known.listeners.add(listener);
    } else {
      this.#channels.set(channel, { listeners: new Set([listener]), seq: null });
      this.#ask(channel);
    }
    this.#start();
  }

  #start() {
    if (this.#watching) return;
    this.#watching = true;
    setInterval(() => this.#watch(), 500);
    addEventListener("online", () => this.#reconnectNow());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.#reconnectNow();
    });
    // A page that is being left must not show the closing of its own socket as a failure.
    addEventListener("pagehide", () => this.#socket?.close());
    this.#connect();
  }

  #connect() {
    clearTimeout(this.#timer);
    this.#timer = null;
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    this.#lastHeard = Date.now();
    socket.addEventListener("open", () => {
      this.#attempts = 0;
      for (const channel of this.#channels.keys()) this.#ask(channel);
    });
    socket.addEventListener("message", (event) => this.#heard(JSON.parse(event.data)));
    socket.addEventListener("close", (event) => {
      if (this.#socket === socket) this.#lost(event.code);
    });
  }

  #ask(channel) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#request += 1;
    this.#socket.send(JSON.stringify({ op: "subscribe", id: String(this.#request), channel }));
  }

  #lost(code) {
    this.#socket = null;
    if (code === SIGNED_OUT) {
      this.#become(State.SIGNED_OUT, "You have been signed out.");
      return;
    }
    this.#become(State.AWAY, navigator.onLine ? "The connection to the desk was lost." : "This device is offline.");
    const delay = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this.#attempts);
    this.#attempts += 1;
    this.#timer = setTimeout(() => this.#connect(), Math.max(FIRST_DELAY, delay * (0.5 + Math.random() / 2)));
  }

  #reconnectNow() {
    if (this.#timer !== null) this.#connect();
  }

  #watch() {
    if (this.#socket?.readyState === WebSocket.OPEN) {
      if (this.silence > DEAD_AFTER) {
        // A half-open connection never says that it is gone.
        const socket = this.#socket;
        this.#lost(0);
        socket.close();
      } else if (this.silence > LATE_AFTER && this.state === State.LIVE) {
        this.#become(State.DELAYED, "The desk is answering late.");
      }
    }
    this.dispatchEvent(new Event("tick"));
  }

  #heard(frame) {
    this.#lastHeard = Date.now();
    if (frame.at) this.#learnSkew(Date.parse(frame.at) - Date.now());
    if (frame.type === "status") this.#serverSaid(frame.live);
    if (frame.type === "status" && !frame.live) this.#become(State.AWAY, frame.reason);
    else if (this.#serverIsLive) this.#become(State.LIVE, "");
    const channel = this.#channels.get(frame.channel);
    if (!channel) return;
    if (frame.type === "ack") this.#joined(channel, frame);
    else if (frame.type === "data") this.#data(channel, frame);
    else if (frame.type === "resync") this.#reread(channel, frame.reason);
    else if (frame.type === "refused") this.#tell(channel, "refused", frame.reason);
  }

  // While the server itself saw nothing, anything may have happened.
  #serverSaid(isLive) {
    const isBack = isLive && !this.#serverIsLive;
    this.#serverIsLive = isLive;
    if (!isBack) return;
    for (const channel of this.#channels.values()) {
      channel.seq = null;
      this.#reread(channel, "live updates are back");
    }
  }

  // Heartbeats arrive late and never early, so the largest difference is the truest.
  #learnSkew(difference) {
    if (!Number.isFinite(difference)) return;
    this.#skew = Math.abs(difference - this.#skew) > 60000 ? difference : Math.max(this.#skew - 5, difference);
  }

  // Joined first, read second: what the page was drawn with may already be old.
  #joined(channel, frame) {
    channel.seq = frame.seq ?? null;
    this.#reread(channel, "joined");
  }

  #data(channel, frame) {
    const missed = channel.seq !== null && frame.seq !== channel.seq && frame.seq !== channel.seq + 1;
    channel.seq = frame.seq;
    for (const listener of channel.listeners) listener.data?.(frame.data, frame);
    if (missed) this.#reread(channel, "an update was missed");
  }

  #reread(channel, why) {
    this.#tell(channel, "reread", why);
  }

  #tell(channel, what, why) {
    for (const listener of channel.listeners) listener[what]?.(why);
  }

  #become(state, reason) {
    if (state === this.state) return;
    const before = { state: this.state, since: this.since };
    Object.assign(this, { state, reason, since: new Date() });
    this.dispatchEvent(new CustomEvent("state", { detail: before }));
  }
}

export function liveUrl() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  return `${scheme}//${location.host}/ws/live/`;
}
