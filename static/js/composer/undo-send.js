// Undo send: counts down until a text leaves, and takes it back into the box.
import { removeFragments } from "../live/fragments.js";
import { closestTarget, focus } from "../shared/dom.js";
import { listen } from "../shared/events.js";
import { composerForm, textBox } from "../shared/page-elements.js";
import { post } from "../shared/requests.js";
import { showToast } from "../shared/toasts.js";
import { takeReturned } from "./drafts.js";
import { isInternal } from "./internal-mode.js";

const NOT_REACHED = "That didn't work: no connection. Try again.";
const NOT_DONE = "That didn't work. Reload the page and try again.";
const LEAVES_NOW = "Leaves now…";
const TICK_MS = 200;

/**
 * When each text leaves, by this page's own clock: the server's may tell another time.
 * @type {WeakMap<Element, {at: number, total: number}>}
 */
const deadlines = new WeakMap();

/** @type {ReturnType<typeof setInterval> | undefined} */
let ticking;

/** @returns {NodeListOf<HTMLElement>} */
const countdowns = () => document.querySelectorAll(".leaving [data-countdown]");

function countDown() {
  const shown = countdowns();
  if (!shown.length) {
    clearInterval(ticking);
    ticking = undefined;
    return;
  }
  ticking ??= setInterval(countDown, TICK_MS);
  for (const words of shown) showRemaining(words);
}

/** @param {HTMLElement} words */
function showRemaining(words) {
  const total = Number(words.dataset.remaining);
  const deadline = deadlines.get(words) ?? { at: performance.now() + total, total };
  deadlines.set(words, deadline);
  const left = Math.max(0, deadline.at - performance.now());
  const text = left > 0 ? `Leaves in ${Math.ceil(left / 1000)} s` : LEAVES_NOW;
  if (words.textContent !== text) words.textContent = text;
  words.parentElement?.style.setProperty("--left", String(left / Math.max(1, deadline.total)));
}

/** @param {HTMLButtonElement} button */
async function takeBack(button) {
  const bubble = button.closest(".leaving");
  const form = composerForm();
  const before = form ? textBox(form).value : "";
  const box = form && { has_box: "true", body: before, is_internal: String(isInternal(form)) };
  button.disabled = true;
  const answer = await post(button.formAction, { is_live: "true", ...box }).catch(() => null);
  button.disabled = false;
  if (answer?.status === 422) showToast(await answer.text());
  else if (!answer?.ok || answer.redirected) showToast(answer ? NOT_DONE : NOT_REACHED);
  else {
    const back = await answer.json();
    if (bubble) removeFragments([bubble.id]);
    if (!form?.isConnected) return;
    takeReturned(form, back, before);
    focus(textBox(form));
  }
}

document.addEventListener("click", (event) => {
  const button = closestTarget(event, "[data-take-back]");
  if (!(button instanceof HTMLButtonElement)) return;
  event.preventDefault();
  takeBack(button);
});

// In an empty box the key has nothing else to undo.
document.addEventListener("keydown", (event) => {
  const isUndo = (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key === "z";
  const form = composerForm();
  if (!isUndo || !form || event.target !== textBox(form) || textBox(form).value) return;
  const last = [...document.querySelectorAll("[data-take-back]")].at(-1);
  if (!(last instanceof HTMLButtonElement) || last.disabled) return;
  event.preventDefault();
  takeBack(last);
});

listen("fragmentsChanged", countDown);
listen("viewChanged", countDown);
countDown();
