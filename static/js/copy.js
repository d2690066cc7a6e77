// A button that copies what another element shows, and says that it did. Heard on the page itself, because
// parts of it are read again.

const SAY_FOR = 3000;

async function copy(button) {
  const source = document.getElementById(button.dataset.copies);
  const words = (button.dataset.words ??= button.textContent);
  try {
    await navigator.clipboard.writeText(source.textContent);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(source);
    button.textContent = "Selected: copy it by hand";
  }
  setTimeout(() => (button.textContent = words), SAY_FOR);
}

export function listenToCopies() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-copies]");
    if (button) copy(button);
  });
}
