// Times in the browser's time zone, worded as by `threads/templatetags/formats.py`.

const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = [
  "January", "February", "March", "April", "May", "June", "July",
  "August", "September", "October", "November", "December",
];

/** @param {number} number */
const twoDigits = (number) => String(number).padStart(2, "0");

/** @param {Date} at */
const clockOf = (at) => `${twoDigits(at.getHours())}:${twoDigits(at.getMinutes())}`;

/** @param {Date} at */
const weekdayOf = (at) => WEEKDAYS[at.getDay()] ?? "";

/** @param {Date} at */
const monthOf = (at) => MONTHS[at.getMonth()] ?? "";

/**
 * @param {Date} at
 * @returns {string} the local day, as 2026-11-22
 */
export function dayKey(at) {
  return `${at.getFullYear()}-${twoDigits(at.getMonth() + 1)}-${twoDigits(at.getDate())}`;
}

/**
 * Words a time as the element that shows it wants it.
 * @param {Date} at
 * @param {string | undefined} style "row", "bubble" or "day"; for a time to come "wait" or "hour"
 * @param {Date} [now]
 */
export function formatTime(at, style, now = new Date()) {
  if (style === "bubble") return clockOf(at);
  if (style === "wait") return formatWait((at.getTime() - now.getTime()) / 60_000);
  const age = Math.round((midnightOf(now) - midnightOf(at)) / 86_400_000);
  if (style === "hour") return formatHour(at, now, -age);
  if (age === 0) return style === "row" ? clockOf(at) : "Today";
  if (age === 1) return "Yesterday";
  const weekday = weekdayOf(at);
  if (age > 1 && age < 7) return style === "row" ? weekday.slice(0, 3) : weekday;
  const month = monthOf(at);
  const year = at.getFullYear() === now.getFullYear() ? "" : ` ${at.getFullYear()}`;
  if (style === "row") return `${at.getDate()} ${month.slice(0, 3)}${year}`;
  return `${weekday}, ${at.getDate()} ${month}${year}`;
}

/** @param {number} minutes */
function formatWait(minutes) {
  const whole = Math.ceil(minutes);
  if (whole <= 1) return "less than a minute";
  return whole < 90 ? `about ${whole} min` : `about ${Math.ceil(whole / 60)} h`;
}

/**
 * @param {Date} at
 * @param {Date} now
 * @param {number} days from today to that day
 */
function formatHour(at, now, days) {
  const clock = clockOf(at);
  if (days === 0 || days === 1) return `${days ? "Tomorrow" : "Today"}, ${clock}`;
  const year = at.getFullYear() === now.getFullYear() ? "" : ` ${at.getFullYear()}`;
  const day = `${weekdayOf(at).slice(0, 3)} ${at.getDate()}`;
  return `${day} ${monthOf(at).slice(0, 3)}${year}, ${clock}`;
}

/** @param {Date} at */
function midnightOf(at) {
  return new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime();
}

/**
 * Rewords the times in a part of the page, or the one time that is given.
 * @param {ParentNode | HTMLTimeElement} root
 */
export function rewriteTimes(root) {
  const times =
    root instanceof HTMLTimeElement ? [root] : root.querySelectorAll("time[data-time]");
  for (const time of times) {
    if (!(time instanceof HTMLTimeElement)) continue;
    const text = formatTime(new Date(time.dateTime), time.dataset.time);
    if (time.textContent !== text) time.textContent = text;
  }
}

function rewriteAtMidnight() {
  const now = new Date();
  const next = new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1, 0, 0, 1);
  setTimeout(() => {
    rewriteTimes(document);
    rewriteAtMidnight();
  }, next.getTime() - now.getTime());
}

rewriteTimes(document);
rewriteAtMidnight();
// The wait that is left shrinks without any news from the server.
setInterval(() => {
  for (const time of document.querySelectorAll("time[data-time=wait]")) rewriteTimes(time);
}, 20_000);
// A laptop that slept through midnight wakes up with yesterday's words.
document.addEventListener("visibilitychange", () => document.hidden || rewriteTimes(document));
document.addEventListener("htmx:after:swap", () => rewriteTimes(document));
