// The history: opens at its newest message or where what was not read begins, grows upwards
// without a jump, stays at the bottom.
import { arrange } from "./message-groups.js";
import { isAtBottom, toBottom } from "../live/scroll-anchor.js";

/** Whether the open history was at its bottom when it last had rest. */
let wasAtBottom = true;

/** @returns {HTMLElement | null} */
const openLog = () => document.querySelector(".log");

/** @returns {HTMLElement | null} */
const pill = () => document.querySelector("[data-newer]");

function note() {
  const log = openLog();
  if (!log) return;
  wasAtBottom = isAtBottom(log);
  const button = pill();
  if (wasAtBottom && button && !button.hidden) {
    if (button === document.activeElement) log.focus({ preventScroll: true });
    button.hidden = true;
  }
}

const sizes = new ResizeObserver(() => {
  const log = openLog();
  if (log && wasAtBottom) toBottom(log);
});

/**
 * Shows where what was not read begins, if that lies above what is in view.
 * @param {HTMLElement} log
 */
function toNew(log) {
  const line = log.querySelector(":scope > [data-new]");
  const beyond = line ? log.getBoundingClientRect().top - line.getBoundingClientRect().top : 0;
  if (beyond <= 0) return;
  log.scrollTop -= beyond;
  const button = pill();
  if (button) button.hidden = false;
}

/**
 * Shows the newest message and keeps it in view while the window and the box change size; who
 * missed more than fits begins with the first of it.
 */
function open() {
  const log = openLog();
  sizes.disconnect();
  if (!log) return;
  arrange(log);
  toBottom(log);
  toNew(log);
  wasAtBottom = isAtBottom(log);
  log.addEventListener("scroll", note, { passive: true });
  sizes.observe(log);
}

/** Own messages are always shown. */
export function showNewest() {
  const log = openLog();
  if (!log) return;
  toBottom(log);
  note();
}

/** @type {{log: HTMLElement, below: number} | null} */
let growing = null;

document.addEventListener("htmx:before:swap", (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  const log = ctx.target?.closest?.(".older")?.closest(".log");
  growing = log ? { log, below: log.scrollHeight - log.scrollTop } : null;
});

document.addEventListener("htmx:after:swap", (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  if (growing) {
    const { log, below } = growing;
    growing = null;
    log.dataset.older = log.querySelector(".older a")?.getAttribute("href") ?? "";
    arrange(log);
    log.scrollTop = log.scrollHeight - below;
  } else if (ctx.target?.id === "panes" || ctx.target?.id === "conversation") {
    open();
  }
});

document.addEventListener("partyline:newer", () => {
  const button = pill();
  if (button) button.hidden = false;
});

document.addEventListener("click", (event) => {
  if (!(event.target instanceof Element) || !event.target.closest("[data-newer]")) return;
  const log = openLog();
  log?.focus({ preventScroll: true });
  showNewest();
});

open();
