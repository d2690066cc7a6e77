// The ticket: a click on the book sets the price, and the fields follow the kind of order.

const ASK_AGAIN_EVERY = 5000;

export function attachTicket(form) {
  const price = form.elements.namedItem("limit_price");
  const types = () => new FormData(form).get("order_type");

  function fit() {
    const isMarket = types() === "market";
    if (price) price.disabled = isMarket;
    form.dataset.side = new FormData(form).get("side") ?? "";
    form.dataset.type = types() ?? "";
  }

  document.addEventListener("desk:price", ({ detail }) => {
    if (!price || price.disabled) return;
    price.value = detail;
    price.dispatchEvent(new Event("input", { bubbles: true }));
    price.focus();
  });
  // Another symbol has another book, other steps and units: the page is made anew around it.
  form.elements.namedItem("symbol")?.addEventListener("change", (event) => {
    event.stopPropagation();
    const kept = new FormData(form);
    for (const name of ["csrfmiddlewaretoken", "client_order_id", "limit_price", "account"]) kept.delete(name);
    location.replace(`${location.pathname}?${new URLSearchParams(kept)}`);
  });
  form.addEventListener("change", fit);
  // A second press while the first is on its way must not look like a second order.
  form.addEventListener("submit", () => {
    const button = form.querySelector("[type=submit]");
    setTimeout(() => {
      if (button) button.disabled = true;
    });
  });
  addEventListener("pageshow", () => {
    fit();
    const button = form.querySelector("[type=submit][data-ready]");
    if (button) button.disabled = false;
  });
  watchPreview(form);
  fit();
}

// What the checks say grows old with the book. They are asked again unless somebody is about to press.
function watchPreview(form) {
  const preview = document.getElementById("preview");
  const said = document.getElementById("preview-said");
  setInterval(() => {
    if (!document.hidden && !preview.matches(":hover, :focus-within")) {
      document.body.dispatchEvent(new Event("desk:again"));
    }
  }, ASK_AGAIN_EVERY);
  preview.addEventListener("htmx:afterSwap", () => {
    const words = preview.querySelector(".ticket-send")?.textContent.replace(/\s+/g, " ").trim() ?? "";
    if (said.textContent !== words) said.textContent = words;
  });
}
