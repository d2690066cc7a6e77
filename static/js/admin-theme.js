// The admin follows the theme chosen in the person's preferences. It keeps its own in localStorage
// and reads it when it starts, which is after this.

const choice = document.querySelector('meta[name="desk-theme"]')?.content ?? "system";
localStorage.setItem("adminTheme", JSON.stringify(choice === "system" ? "auto" : choice));
