// Times in the browser's zone, in the words of `threads/templatetags/partyline.py`.

const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = [
  "January", "February", "March", "April", "May", "June", "July",
  "August", "September", "October", "November", "December",
];

/** @param {number} number */
const two = (number) => String(number).padStart(2, "0");

/**
 * @param {Date} at
 * @returns {string} the local day, as 2026-11-22
 */
export function dayKey(at) {
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/**
 * @param {Date} at
 * @param {string | undefined} style "row", "bubble" or "day"
 * @param {Date} [now]
 */
export function words(at, style, now = new Date()) {
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}`;
  if (style === "bubble") return clock;
  const age = Math.round((midnight(now) - midnight(at)) / 86_400_000);
  if (age === 0) return style === "row" ? clock : "Today";
  if (age === 1) return "Yesterday";
  const weekday = WEEKDAYS[at.getDay()];
  if (age > 1 && age < 7) return style === "row" ? weekday.slice(0, 3) : weekday;
  const month = MONTHS[at.getMonth()];
  const year = at.getFullYear() === now.getFullYear() ? "" : ` ${at.getFullYear()}`;
  if (style === "row") return `${at.getDate()} ${month.slice(0, 3)}${year}`;
  return `${weekday}, ${at.getDate()} ${month}${year}`;
}

/** @param {Date} at */
function midnight(at) {
  return new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime();
}

/** @param {ParentNode | HTMLTimeElement} root */
export function rewrite(root) {
  const times =
    root instanceof HTMLTimeElement ? [root] : root.querySelectorAll("time[data-time]");
  for (const time of times) {
    if (!(time instanceof HTMLTimeElement)) continue;
    const text = words(new Date(time.dateTime), time.dataset.time);
    if (time.textContent !== text) time.textContent = text;
  }
}

function atMidnight() {
  const now = new Date();
  const next = new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1, 0, 0, 1);
  setTimeout(() => {
    rewrite(document);
    atMidnight();
  }, next.getTime() - now.getTime());
}

rewrite(document);
atMidnight();
// A laptop that slept through midnight wakes with old words.
document.addEventListener("visibilitychange", () => document.hidden || rewrite(document));
document.addEventListener("htmx:after:swap", () => rewrite(document));
