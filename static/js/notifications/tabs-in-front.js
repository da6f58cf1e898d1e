// Which thread somebody looks at, in this tab or in another one of the same browser.
import { listen } from "../shared/events.js";
import { openThreadKey } from "../shared/page-elements.js";

/** A tab in front says so this often; twice as old a word is of a tab that crashed. */
const SAY_EVERY_MS = 5_000;
const FRONT = "partyline.front";
const tab = crypto.randomUUID?.() ?? String(Math.random());

/**
 * @param {string} key
 * @returns {any} null if nothing is kept, or nothing may be
 */
export function recall(key) {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "null");
  } catch {
    return null;
  }
}

/**
 * Keeps a value for all tabs.
 * @param {string} key
 * @param {unknown} value
 */
export function remember(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // No room, or not allowed: then each tab knows of itself alone.
  }
}

/** @returns {number | null} the thread that somebody looks at in this tab */
export function threadInFront() {
  return !document.hidden && document.hasFocus() ? openThreadKey() : null;
}

/**
 * Returns whether somebody looks at a thread in any tab.
 * @param {number} thread
 */
export function isInFront(thread) {
  if (threadInFront() === thread) return true;
  const front = recall(FRONT);
  return front?.thread === thread && Date.now() - front.at < 2 * SAY_EVERY_MS;
}

/** @param {Event} [event] */
function sayWhatIsInFront(event) {
  const thread = event?.type === "pagehide" ? null : threadInFront();
  if (thread !== null) remember(FRONT, { tab, thread, at: Date.now() });
  else if (recall(FRONT)?.tab === tab) remember(FRONT, null);
}

for (const name of ["focus", "blur", "pagehide"]) window.addEventListener(name, sayWhatIsInFront);
document.addEventListener("visibilitychange", sayWhatIsInFront);
listen("viewChanged", () => sayWhatIsInFront());
setInterval(() => threadInFront() !== null && sayWhatIsInFront(), SAY_EVERY_MS);
