// What a message looks like between its neighbours: headings of days, messages of one author close
// together, and the line before the first one that was not read.
import { dayKey, rewriteTimes } from "../shared/times.js";
import { messageId } from "./newest-message.js";

/** Seconds between two messages of one author that still belong together. */
const GROUP_SECONDS = 5 * 60;

/** @param {HTMLElement} message */
const stateOf = (message) =>
  [...message.classList].find((name) => name.startsWith("is-")) ?? "";

/** @param {HTMLElement} message */
const kindOf = (message) => message.classList[1];

/**
 * @param {HTMLElement | undefined} one
 * @param {HTMLElement | undefined} other
 */
function areGrouped(one, other) {
  return (
    !!one &&
    !!other &&
    !hasActivityBetween(one, other) &&
    kindOf(one) === kindOf(other) &&
    one.dataset.author === other.dataset.author &&
    one.dataset.day === other.dataset.day &&
    Number(other.dataset.at) - Number(one.dataset.at) < GROUP_SECONDS
  );
}

/**
 * @param {HTMLElement} one
 * @param {HTMLElement} other
 */
function hasActivityBetween(one, other) {
  let next = one.nextElementSibling;
  while (next && next !== other && !next.matches(".activity")) next = next.nextElementSibling;
  return Boolean(next?.matches(".activity"));
}

/**
 * Groups the messages of a history anew, in the browser's time zone, as the server does when it
 * draws a page.
 * @param {HTMLElement} log
 */
export function groupMessages(log) {
  const messages = [...log.querySelectorAll(":scope > .message")].filter(
    (child) => child instanceof HTMLElement,
  );
  for (const message of messages) {
    const day = dayKey(new Date(Number(message.dataset.at) * 1000));
    if (message.dataset.day !== day) message.dataset.day = day;
  }
  messages.forEach((message, i) => groupMessage(message, messages[i - 1], messages[i + 1]));
  for (const heading of log.querySelectorAll(":scope > .day")) {
    if (!heading.nextElementSibling?.matches(".message")) heading.remove();
  }
  moveNewLine(log);
}

/**
 * @param {HTMLElement} message
 * @param {HTMLElement | undefined} before
 * @param {HTMLElement | undefined} after
 */
function groupMessage(message, before, after) {
  const state = stateOf(message);
  setClass(message, "follows", areGrouped(before, message) && !isFirstNew(message));
  setClass(
    message,
    "joined",
    after !== undefined &&
      areGrouped(message, after) &&
      !isFirstNew(after) &&
      state === stateOf(after) &&
      !["is-failed", "is-unknown"].includes(state),
  );
  setDayHeading(message, before?.dataset.day !== message.dataset.day);
}

/** @returns {HTMLElement | null} the line before what was not read when the history was opened */
const newLine = () => document.querySelector(".log > [data-new]");

/** @param {HTMLElement} message */
const isFirstNew = (message) => newLine()?.dataset.new === String(messageId(message));

/**
 * Keeps the line before its message, and before the heading of a day that the message opens.
 * @param {HTMLElement} log
 */
function moveNewLine(log) {
  const line = newLine();
  const message = line && log.querySelector(`:scope > #message-${line.dataset.new}`);
  if (!line || !message) return;
  const above = message.previousElementSibling;
  const next = above?.matches(".day") ? above : message;
  if (line.nextElementSibling !== next) next.before(line);
}

/**
 * Touches the element only if something changes.
 * @param {HTMLElement} message
 * @param {string} name
 * @param {boolean} isOn
 */
function setClass(message, name, isOn) {
  if (message.classList.contains(name) !== isOn) message.classList.toggle(name, isOn);
}

/**
 * @param {HTMLElement} message
 * @param {boolean} opensDay
 */
function setDayHeading(message, opensDay) {
  const heading = message.previousElementSibling;
  const hasHeading = heading instanceof HTMLElement && heading.matches(".day");
  if (hasHeading && opensDay && heading.dataset.day === message.dataset.day) return;
  if (hasHeading) heading.remove();
  if (opensDay) message.before(drawDayHeading(message));
}

/** @param {HTMLElement} message the first of its day */
function drawDayHeading(message) {
  const heading = document.createElement("h2");
  heading.className = "day";
  heading.dataset.day = message.dataset.day;
  const time = document.createElement("time");
  time.dateTime = new Date(Number(message.dataset.at) * 1000).toISOString();
  time.dataset.time = "day";
  heading.append(time);
  rewriteTimes(heading);
  return heading;
}
