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
 * @param {string | undefined} style "row", "bubble" or "day"; of what is to come "wait" or "hour"
 * @param {Date} [now]
 */
export function words(at, style, now = new Date()) {
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}`;
  if (style === "bubble") return clock;
  if (style === "wait") return waitWords((at.getTime() - now.getTime()) / 60_000);
  const age = Math.round((midnight(now) - midnight(at)) / 86_400_000);
  if (style === "hour") return hourWords(at, now, -age);
  if (age === 0) return style === "row" ? clock : "Today";
  if (age === 1) return "Yesterday";
  const weekday = WEEKDAYS[at.getDay()];
  if (age > 1 && age < 7) return style === "row" ? weekday.slice(0, 3) : weekday;
  const month = MONTHS[at.getMonth()];
  const year = at.getFullYear() === now.getFullYear() ? "" : ` ${at.getFullYear()}`;
  if (style === "row") return `${at.getDate()} ${month.slice(0, 3)}${year}`;
  return `${weekday}, ${at.getDate()} ${month}${year}`;
}

/** @param {number} minutes */
function waitWords(minutes) {
  const whole = Math.ceil(minutes);
  if (whole <= 1) return "less than a minute";
  return whole < 90 ? `about ${whole} min` : `about ${Math.ceil(whole / 60)} h`;
}

/**
 * @param {Date} at
 * @param {Date} now
 * @param {number} ahead days
 */
function hourWords(at, now, ahead) {
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}`;
  if (ahead === 0 || ahead === 1) return `${ahead ? "Tomorrow" : "Today"}, ${clock}`;
  const year = at.getFullYear() === now.getFullYear() ? "" : ` ${at.getFullYear()}`;
  const day = `${WEEKDAYS[at.getDay()].slice(0, 3)} ${at.getDate()}`;
  return `${day} ${MONTHS[at.getMonth()].slice(0, 3)}${year}, ${clock}`;
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
// How long something still waits changes by itself.
setInterval(() => {
  for (const time of document.querySelectorAll("time[data-time=wait]")) {
    rewrite(/** @type {HTMLTimeElement} */ (time));
  }
}, 20_000);
// A laptop that slept through midnight wakes with old words.
document.addEventListener("visibilitychange", () => document.hidden || rewrite(document));
document.addEventListener("htmx:after:swap", () => rewrite(document));
