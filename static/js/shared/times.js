// Times in the browser's time zone and with its clock, worded as by `inboxes/times.py`.
import { conventions } from "./conventions.js";

const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = [
  "January", "February", "March", "April", "May", "June", "July",
  "August", "September", "October", "November", "December",
];

/** @param {number} number */
const twoDigits = (number) => String(number).padStart(2, "0");

/**
 * @param {number} hours
 * @param {number} minutes
 */
function formatClock(hours, minutes) {
  if (!conventions.has12Hours) return `${twoDigits(hours)}:${twoDigits(minutes)}`;
  return `${hours % 12 || 12}:${twoDigits(minutes)} ${hours < 12 ? "AM" : "PM"}`;
}

/** @param {Date} at */
const clockOf = (at) => formatClock(at.getHours(), at.getMinutes());

/** @param {Date} at */
const weekdayOf = (at) => WEEKDAYS[at.getDay()] ?? "";

/** @param {Date} at */
const monthOf = (at) => MONTHS[at.getMonth()] ?? "";

/**
 * @param {Date} at
 * @param {{hasYear: boolean, isShort?: boolean}} form
 */
function formatDay(at, { hasYear, isShort = false }) {
  const month = isShort ? monthOf(at).slice(0, 3) : monthOf(at);
  const year = at.getFullYear();
  if (!conventions.hasMonthFirst) return `${at.getDate()} ${month}${hasYear ? ` ${year}` : ""}`;
  return `${month} ${at.getDate()}${hasYear ? `, ${year}` : ""}`;
}

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
 * @param {string | undefined} style "row", "bubble", "day", "past", "date" or "month"; for a time
 *   to come "wait", "hour", "inline", "until" or "opening"
 * @param {Date} [now]
 */
export function formatTime(at, style, now = new Date()) {
  const hasYear = at.getFullYear() !== now.getFullYear();
  const age = Math.round((midnightOf(now) - midnightOf(at)) / 86_400_000);
  switch (style) {
    case "bubble":
      return clockOf(at);
    case "wait":
      return formatWait((at.getTime() - now.getTime()) / 60_000);
    case "hour":
    case "inline":
      return formatFuture(at, -age, { hasYear, isInline: style === "inline" });
    case "until":
      return formatUntil(at, -age, hasYear);
    case "opening":
      return formatOpening(at, -age, hasYear);
    case "past":
      if (age === 0 || age === 1) return `${age ? "yesterday" : "today"} at ${clockOf(at)}`;
      return `on ${formatDay(at, { hasYear })} at ${clockOf(at)}`;
    case "date":
      return formatDay(at, { hasYear: true, isShort: true });
    case "month":
      return age === 0 ? "today" : `in ${monthOf(at)}${hasYear ? ` ${at.getFullYear()}` : ""}`;
    default:
      return formatPast(at, age, { hasYear, isShort: style === "row" });
  }
}

/**
 * Words the whole date, with the clock and the time zone.
 * @param {Date} at
 */
export function formatFull(at) {
  const day = formatDay(at, { hasYear: true });
  return `${weekdayOf(at)}, ${day} at ${clockOf(at)}, ${zoneName()}`;
}

/** Returns the name of the browser's time zone as people say it, as "New York time". */
export function zoneName() {
  const zone = conventions.timeZone;
  const city = zone.slice(zone.lastIndexOf("/") + 1).replaceAll("_", " ");
  return zone.startsWith("Etc/") || !zone.includes("/") ? city : `${city} time`;
}

/** @param {number} minutes */
function formatWait(minutes) {
  const whole = Math.ceil(minutes);
  if (whole <= 1) return "less than a minute";
  return whole < 90 ? `about ${whole} min` : `about ${Math.ceil(whole / 60)} h`;
}

/**
 * @param {Date} at
 * @param {number} days from today to that day
 * @param {{hasYear: boolean, isInline: boolean}} form
 */
function formatFuture(at, days, { hasYear, isInline }) {
  if (days === 0 || days === 1) {
    const word = days ? "Tomorrow" : "Today";
    return `${isInline ? word.toLowerCase() : word}, ${clockOf(at)}`;
  }
  const weekday = weekdayOf(at).slice(0, 3);
  return `${weekday}, ${formatDay(at, { hasYear, isShort: true })}, ${clockOf(at)}`;
}

/**
 * @param {Date} at
 * @param {number} days from today to that day
 * @param {boolean} hasYear
 */
function formatUntil(at, days, hasYear) {
  if (days === 0) return clockOf(at).replace(":00 ", " ");
  if (days === 1) return "tomorrow";
  if (days > 1 && days < 7) return weekdayOf(at).slice(0, 3);
  return formatDay(at, { hasYear, isShort: true });
}

/**
 * @param {Date} at
 * @param {number} days from today to that day
 * @param {boolean} hasYear
 */
function formatOpening(at, days, hasYear) {
  if (days === 0) return clockOf(at);
  const weekday = days > 0 && days < 7 ? weekdayOf(at) : `${weekdayOf(at)}, ${formatDay(at, { hasYear })}`;
  return `${days === 1 ? "tomorrow" : weekday}, ${clockOf(at)}`;
}

/**
 * @param {Date} at
 * @param {number} age in days
 * @param {{hasYear: boolean, isShort: boolean}} form
 */
function formatPast(at, age, { hasYear, isShort }) {
  if (age === 0) return isShort ? clockOf(at) : "Today";
  if (age === 1) return "Yesterday";
  const weekday = weekdayOf(at);
  if (age > 1 && age < 7) return isShort ? weekday.slice(0, 3) : weekday;
  const day = formatDay(at, { hasYear, isShort });
  return isShort ? day : `${weekday}, ${day}`;
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
    const at = new Date(time.dateTime);
    setText(time, formatTime(at, time.dataset.time));
    const full = formatFull(at);
    if (time.title !== full) time.title = full;
  }
  for (const clock of root.querySelectorAll("[data-clock]")) {
    const [hours, minutes] = (clock.getAttribute("data-clock") ?? "").split(":").map(Number);
    setText(clock, formatClock(hours ?? 0, minutes ?? 0));
  }
  for (const name of root.querySelectorAll("[data-zone-name]")) setText(name, zoneName());
}

/**
 * Touches the element only if something changes.
 * @param {Element} element
 * @param {string} text
 */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
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
