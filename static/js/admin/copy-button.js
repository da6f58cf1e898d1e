// Buttons that copy what stands beside them.
import { closestTarget } from "../shared/dom.js";

const SAID_MS = 3_000;

/**
 * When each button gets its own words back.
 * @type {WeakMap<HTMLButtonElement, ReturnType<typeof setTimeout>>}
 */
const timers = new WeakMap();

/**
 * Says in the button what became of it, to a screen reader too, and takes it back later.
 * @param {HTMLButtonElement} button
 * @param {string} words
 */
function say(button, words) {
  button.dataset.words ??= button.textContent;
  const status = button.parentElement?.querySelector("[data-copy-status]");
  const put = (/** @type {string} */ label, /** @type {string} */ spoken) => {
    button.textContent = label;
    if (status) status.textContent = spoken;
  };
  put(words, words);
  clearTimeout(timers.get(button));
  timers.set(button, setTimeout(() => put(button.dataset.words ?? "", ""), SAID_MS));
}

document.addEventListener("click", async (event) => {
  const button = closestTarget(event, "[data-copy]");
  if (!(button instanceof HTMLButtonElement)) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy ?? "");
    say(button, "Copied");
  } catch {
    say(button, "Couldn't copy");
  }
});
