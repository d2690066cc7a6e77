// A button that copies what another element shows, and says that it did.

export function attachCopy(button) {
  button.addEventListener("click", async () => {
    const words = button.textContent;
    try {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(document.getElementById(button.dataset.copies));
      button.textContent = "Selected: copy it by hand";
    }
    setTimeout(() => (button.textContent = words), 3000);
  });
}
