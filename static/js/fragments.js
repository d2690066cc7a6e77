// Reading a part of the page again, and putting it where the old one was.

const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 30000;

export async function read(url) {
  const response = await fetch(url, { headers: { "HX-Request": "true" }, credentials: "same-origin" });
  if (response.redirected && new URL(response.url).pathname.startsWith("/sign-in/")) {
    location.reload();
  }
  if (!response.ok) throw new Error(`${response.status} for ${url}`);
  return response;
}

export function adopt(element) {
  window.htmx?.process(element);
}

// Rows need a table around them to be parsed, whatever they are sent in.
export function parsed(html) {
  const template = document.createElement("template");
  template.innerHTML = html.trim();
  return template.content;
}

export async function readRow(url) {
  const response = await read(url);
  if (response.status === 204) return null;
  return parsed(await response.text()).querySelector("tr");
}

// What somebody typed, chose, ticked or unfolded, by its id: reading again must not take it away.
const WHOLE = "input[type=text][id], textarea[id], input[type=checkbox][id], select[id], details[id]";
const PROPERTY = { checkbox: "checked", DETAILS: "open" };

function propertyOf(element) {
  return PROPERTY[element.type] ?? PROPERTY[element.tagName] ?? "value";
}

function stateOf(element) {
  return new Map([...element.querySelectorAll(WHOLE)].map((one) => [one.id, one[propertyOf(one)]]));
}

// How each part stood as it came from the server: what still stands so, nobody touched.
const asServed = new WeakMap();

function touchedIn(element) {
  const served = asServed.get(element);
  return served ? [...stateOf(element)].filter(([id, value]) => served.get(id) !== value) : [];
}

export function rememberServed(element) {
  asServed.set(element, stateOf(element));
}

function focusedIn(element) {
  const focused = document.activeElement;
  if (!element.contains(focused)) return null;
  if (focused.id) return `#${CSS.escape(focused.id)}`;
  const href = focused.getAttribute("href");
  return href && `[href="${CSS.escape(href)}"]`;
}

// Replace the content of an element by what its address now says, and keep the keyboard and the
// sideways scroll where they were.
export async function readAgain(element) {
  const url = element.dataset.fetch || location.pathname + location.search;
  const fresh = parsed(await (await read(url)).text());
  const focused = focusedIn(element);
  const touched = touchedIn(element);
  const across = element.querySelector(".scroll")?.scrollLeft ?? 0;
  element.replaceChildren(...fresh.childNodes);
  adopt(element);
  const scroll = element.querySelector(".scroll");
  if (scroll) scroll.scrollLeft = across;
  rememberServed(element);
  for (const [id, value] of touched) {
    const one = element.querySelector(`#${CSS.escape(id)}`);
    if (one) one[propertyOf(one)] = value;
  }
  if (focused) element.querySelector(focused)?.focus({ preventScroll: true });
}

// Run a job soon, once for many calls, and again when it was called while it ran.
export function coalesced(job, wait) {
  let timer = null;
  let running = false;
  let again = false;
  let failures = 0;
  async function run() {
    timer = null;
    if (running) {
      again = true;
      return;
    }
    running = true;
    try {
      await job();
      failures = 0;
    } catch (error) {
      // What could not be read now must not stay old on the page: ask again, ever more slowly.
      failures += 1;
      console.info("Not read again yet:", error.message);
      timer ??= setTimeout(run, Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** failures));
    } finally {
      running = false;
    }
    if (again) {
      again = false;
      ring();
    }
  }
  function ring() {
    timer ??= setTimeout(run, wait);
  }
  return ring;
}
