// How long is left until a deadline, second by second. At zero nothing is carried out; the server says so.

const SECOND = 1000;
const LAST_PART = 10;

function words(left) {
  const seconds = Math.floor(left / SECOND);
  const minutes = Math.floor(seconds / 60);
  if (minutes >= 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min left`;
  return minutes ? `${minutes} min ${seconds % 60} s left` : `${seconds} s left`;
}

function draw(element, now) {
  const until = Date.parse(element.dataset.until);
  const left = until - now;
  const text = left > 0 ? words(left) : "time is over";
  if (element.textContent !== text) element.textContent = text;
  element.classList.toggle("left-little", left < (until - Date.parse(element.dataset.from)) / LAST_PART);
}

export function countDown(now) {
  const drawAll = () => {
    for (const element of document.querySelectorAll("[data-until]")) draw(element, now());
  };
  drawAll();
  setInterval(drawAll, SECOND);
}
