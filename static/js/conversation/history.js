// The history of messages: opens at its newest message or where what was not read begins, grows
// upwards without a jump, and stays at the bottom while it is there.
import { isAtBottom, scrollToBottom } from "../live/scroll-anchor.js";
import { closestTarget, focus } from "../shared/dom.js";
import { listen } from "../shared/events.js";
import { isNavigation, openLog } from "../shared/page-elements.js";
import { groupMessages } from "./message-groups.js";

/** Whether the history was at its bottom when it was last scrolled. */
let wasAtBottom = true;

/** @returns {HTMLElement | null} the button that leads down to newer messages */
const newerButton = () => document.querySelector("[data-newer]");

function noteScroll() {
  const log = openLog();
  if (!log) return;
  wasAtBottom = isAtBottom(log);
  const button = newerButton();
  if (wasAtBottom && button && !button.hidden) {
    if (button === document.activeElement) focus(log);
    button.hidden = true;
  }
}

function showNewerButton() {
  const button = newerButton();
  if (button) button.hidden = false;
}

/** Keeps the newest message in view while the window and the box change their sizes. */
const resizes = new ResizeObserver(() => {
  const log = openLog();
  if (log && wasAtBottom) scrollToBottom(log);
});

/**
 * Scrolls up to where what was not read begins, if that is not in view.
 * @param {HTMLElement} log
 */
function scrollToUnread(log) {
  const line = log.querySelector(":scope > [data-new]");
  const above = line ? log.getBoundingClientRect().top - line.getBoundingClientRect().top : 0;
  if (above <= 0) return;
  log.scrollTop -= above;
  showNewerButton();
}

function openHistory() {
  const log = openLog();
  resizes.disconnect();
  if (!log) return;
  groupMessages(log);
  scrollToBottom(log);
  scrollToUnread(log);
  wasAtBottom = isAtBottom(log);
  log.addEventListener("scroll", noteScroll, { passive: true });
  resizes.observe(log);
}

/** Scrolls to the bottom, as after a message of the agent's own. */
export function showNewestMessage() {
  const log = openLog();
  if (!log) return;
  scrollToBottom(log);
  noteScroll();
}

/**
 * The history while older messages are on their way, and how far its end was below the top.
 * @type {{log: HTMLElement, below: number} | null}
 */
let growing = null;

document.addEventListener("htmx:before:swap", ({ detail: { ctx } }) => {
  const log = ctx.target?.closest(".older")?.closest(".log");
  growing =
    log instanceof HTMLElement ? { log, below: log.scrollHeight - log.scrollTop } : null;
});

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  if (growing) {
    const { log, below } = growing;
    growing = null;
    log.dataset.older = log.querySelector(".older a")?.getAttribute("href") ?? "";
    groupMessages(log);
    log.scrollTop = log.scrollHeight - below;
  } else if (isNavigation(ctx)) openHistory();
});

listen("newerMessage", showNewerButton);

document.addEventListener("click", (event) => {
  if (!closestTarget(event, "[data-newer]")) return;
  focus(openLog());
  showNewestMessage();
});

openHistory();
