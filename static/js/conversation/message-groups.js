// Headings of days, runs of one author's messages, the line "New": what neighbours make of each other.
import { idOf } from "./newest-message.js";
import { dayKey, rewriteTimes } from "../shared/times.js";

const RUN = 5 * 60;

/** @param {HTMLElement} message */
const stateOf = (message) =>
  [...message.classList].find((name) => name.startsWith("is-")) ?? "";

/** @param {HTMLElement} message */
const kindOf = (message) => message.classList[1];

/**
 * @param {HTMLElement | undefined} one
 * @param {HTMLElement | undefined} other
 */
function isRun(one, other) {
  return (
    !!one &&
    !!other &&
    kindOf(one) === kindOf(other) &&
    one.dataset.author === other.dataset.author &&
    one.dataset.day === other.dataset.day &&
    Number(other.dataset.at) - Number(one.dataset.at) < RUN
  );
}

/**
 * Draws the days and runs of a history anew, as the server does at the first load.
 * @param {HTMLElement} log
 */
export function arrange(log) {
  /** @type {HTMLElement[]} */
  const messages = [...log.querySelectorAll(":scope > .message")].filter(
    (child) => child instanceof HTMLElement,
  );
  for (const message of messages) {
    const day = dayKey(new Date(Number(message.dataset.at) * 1000));
    if (message.dataset.day !== day) message.dataset.day = day;
  }
  messages.forEach((message, i) => {
    const before = messages[i - 1];
    const after = messages[i + 1];
    const state = stateOf(message);
    toggle(message, "follows", isRun(before, message) && !isFirstNew(message));
    toggle(
      message,
      "joined",
      after !== undefined &&
        isRun(message, after) &&
        !isFirstNew(after) &&
        state === stateOf(after) &&
        !["is-failed", "is-unknown"].includes(state),
    );
    setDay(message, before?.dataset.day !== message.dataset.day);
  });
  for (const heading of log.querySelectorAll(":scope > .day")) {
    if (!heading.nextElementSibling?.matches(".message")) heading.remove();
  }
  keepNewLine(log);
}

/** @returns {HTMLElement | null} the line before what was not read when the history was opened */
const newLine = () => document.querySelector(".log > [data-new]");

/** @param {HTMLElement} message */
const isFirstNew = (message) => newLine()?.dataset.new === String(idOf(message));

/**
 * The line stays before its message, and before the heading of a day that the message opens.
 * @param {HTMLElement} log
 */
function keepNewLine(log) {
  const line = newLine();
  const message = line && log.querySelector(`:scope > #message-${line.dataset.new}`);
  if (!line || !message) return;
  const above = message.previousElementSibling;
  const place = above?.matches(".day") ? above : message;
  if (line.nextElementSibling !== place) place.before(line);
}

/**
 * @param {HTMLElement} message
 * @param {string} name
 * @param {boolean} isOn
 */
function toggle(message, name, isOn) {
  if (message.classList.contains(name) !== isOn) message.classList.toggle(name, isOn);
}

/**
 * @param {HTMLElement} message
 * @param {boolean} opensDay
 */
function setDay(message, opensDay) {
  const heading = message.previousElementSibling;
  const hasHeading = heading instanceof HTMLElement && heading.matches(".day");
  if (hasHeading && opensDay && heading.dataset.day === message.dataset.day) return;
  if (hasHeading) heading.remove();
  if (!opensDay) return;
  const made = document.createElement("h2");
  made.className = "day";
  made.dataset.day = message.dataset.day;
  const time = document.createElement("time");
  time.dateTime = new Date(Number(message.dataset.at) * 1000).toISOString();
  time.dataset.time = "day";
  made.append(time);
  rewriteTimes(made);
  message.before(made);
}
