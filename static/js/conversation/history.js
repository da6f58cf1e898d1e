// The history of messages: opens at its newest message or where what was not read begins, grows
// upwards without a jump, and stays at the bottom while it is there.
import { isAtBottom, scrollToBottom } from "../live/scroll-anchor.js";
import { closestTarget, focus } from "../shared/dom.js";
import { listen } from "../shared/events.js";
import { isNavigation, openLog } from "../shared/page-elements.js";
import { showDayInSight } from "./day-in-sight.js";
import { groupMessages } from "./message-groups.js";

/** Pixels above the first message that was not read, for the day that stays in sight. */
const ROOM_FOR_DAY = 40;

/** Whether the history was at its bottom when it was last scrolled. */
let wasAtBottom = true;

/** How many messages below what is in view came since, or had not been read. */
let newBelow = 0;

/** @returns {HTMLElement | null} the button that leads down to the newest message */
const jumpButton = () => document.querySelector("[data-jump]");

function noteScroll() {
  const log = openLog();
  if (!log) return;
  wasAtBottom = isAtBottom(log);
  if (wasAtBottom) newBelow = 0;
  showJumpButton(log);
  showDayInSight(log);
}

/**
 * Shows the button where the newest message is out of sight, with how many are new.
 * @param {HTMLElement} log
 */
function showJumpButton(log) {
  const button = jumpButton();
  const words = button?.querySelector("[data-words]");
  if (!button || !words) return;
  const below = log.scrollHeight - log.scrollTop - log.clientHeight;
  const isWanted = !wasAtBottom && (newBelow > 0 || below > log.clientHeight / 3);
  if (!isWanted && button === document.activeElement) focus(log);
  button.hidden = !isWanted;
  const text = newBelow ? `Jump to newest · ${newBelow} new` : "Jump to newest";
  if (words.textContent !== text) words.textContent = text;
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
  log.scrollTop -= above + ROOM_FOR_DAY;
  newBelow = log.querySelectorAll(":scope > [data-new] ~ .message").length;
}

function openHistory() {
  const log = openLog();
  resizes.disconnect();
  newBelow = 0;
  if (!log) return;
  groupMessages(log);
  scrollToBottom(log);
  scrollToUnread(log);
  noteScroll();
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

/** Whether a part of the history is being loaded late, such as a contact card. */
let isFilling = false;

document.addEventListener("htmx:before:swap", ({ detail: { ctx } }) => {
  isFilling = Boolean(openLog()?.contains(ctx.target));
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
    noteScroll();
  } else if (isNavigation(ctx)) openHistory();
  else if (isFilling && wasAtBottom) showNewestMessage();
});

listen("newerMessages", ({ count }) => {
  newBelow += count;
});
listen("fragmentsChanged", () => {
  const log = openLog();
  if (!log) return;
  showJumpButton(log);
  showDayInSight(log);
});

document.addEventListener("click", (event) => {
  if (!closestTarget(event, "[data-jump]")) return;
  // A conversation that was opened at an old message does not hold the newest ones.
  const newest = document.querySelector(".log [data-newest]");
  if (newest instanceof HTMLAnchorElement) {
    newest.click();
    return;
  }
  focus(openLog());
  showNewestMessage();
});

openHistory();
