// On the page for "the database is away": look whether it is back, and only then ask again.

const LOOK_EVERY = 3000;

async function look() {
  try {
    const { ok } = await fetch("/readyz", { cache: "no-store" });
    if (ok) location.replace(document.getElementById("again").href);
  } catch {
    // Not back yet.
  }
}

setInterval(look, LOOK_EVERY);
