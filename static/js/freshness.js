// The badge and the banner that say how fresh this page is.

import { State } from "./live.js";

const WORDS = {
  [State.CONNECTING]: "Connecting",
  [State.LIVE]: "Live",
  [State.DELAYED]: "Delayed",
  [State.AWAY]: "Reconnecting",
  [State.SIGNED_OUT]: "Signed out",
};
const SHOW_RETURN_FOR = 8000;

function clock(date) {
  const zone = document.body.dataset.zone || "UTC";
  return new Intl.DateTimeFormat("en-GB", { timeStyle: "medium", timeZone: zone }).format(date);
}

function seconds(milliseconds) {
  return `${Math.max(0, Math.round(milliseconds / 1000))} s`;
}

export function showFreshness(live) {
  const badge = document.getElementById("live-state");
  const banner = document.getElementById("interrupted");
  let lostAt = null;

  function drawBadge() {
    badge.hidden = false;
    badge.dataset.state = live.state;
    let words = WORDS[live.state];
    if (live.state === State.DELAYED) words += ` ${seconds(live.silence)}`;
    if (live.state === State.AWAY) words += ` · ${seconds(Date.now() - live.since)}`;
    if (badge.textContent !== words) badge.textContent = words;
  }

  function say(words, link) {
    banner.replaceChildren(words);
    if (link) banner.append(" ", link);
    banner.hidden = false;
  }

  live.addEventListener("state", () => {
    if (live.state === State.AWAY) {
      lostAt ??= live.since;
      say(`Live updates interrupted since ${clock(lostAt)}. ${live.reason} Showing what was last known.`);
    } else if (live.state === State.SIGNED_OUT) {
      const link = document.createElement("a");
      link.href = `/sign-in/?next=${encodeURIComponent(location.pathname + location.search)}`;
      link.textContent = "Sign in again";
      say("You have been signed out; what is shown no longer changes.", link);
    } else if (live.state === State.LIVE && lostAt) {
      say(`Live updates are back after ${seconds(Date.now() - lostAt)}, and this page was read again.`);
      lostAt = null;
      setTimeout(() => {
        if (live.state === State.LIVE) banner.hidden = true;
      }, SHOW_RETURN_FOR);
    }
    document.documentElement.toggleAttribute("data-interrupted", live.state === State.AWAY || live.state === State.SIGNED_OUT);
    drawBadge();
  });
  live.addEventListener("tick", drawBadge);
}
