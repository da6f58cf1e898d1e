// The short line at the edge of the page that says what just happened.

import { listen } from "./events.js";
import { isNarrow } from "./page-elements.js";

const SENTENCE_MS = 8_000;
const OFFER_MS = 10_000;
/** How long an offer waits further while somebody is about to press its button. */
const IN_USE_MS = 1_000;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** Whether the toast has a button: it then stays while the agent opens something else. */
let isOffer = false;

const toastElement = () => document.getElementById("notice");

/** Puts the toast over the foot of the list; on a phone above the box, or above that foot. */
function placeToast() {
  const toast = toastElement();
  if (!toast || toast.hidden) return;
  const feet = [...document.querySelectorAll(".account, #reply")];
  const isShown = (/** @type {Element} */ foot) => foot.getClientRects().length > 0;
  const foot = isNarrow() ? feet.find(isShown) : document.querySelector(".account");
  const height = foot ? window.innerHeight - foot.getBoundingClientRect().top : 0;
  toast.style.setProperty("--foot", `${Math.max(0, height)}px`);
}

/** The box grows while a toast is shown. */
const feet = new ResizeObserver(placeToast);

function watchFeet() {
  feet.disconnect();
  for (const foot of document.querySelectorAll("#reply")) feet.observe(foot);
  placeToast();
}

/** @param {string} sentence */
export function showToast(sentence) {
  openToast(SENTENCE_MS, false, (toast) => (toast.textContent = sentence));
}

/**
 * Shows a sentence with a button, drawn by the server.
 * @param {string} html
 */
export function showOffer(html) {
  openToast(OFFER_MS, true, (toast) => {
    toast.innerHTML = html;
    window.htmx?.process(toast);
  });
}

/**
 * @param {number} milliseconds
 * @param {boolean} hasButton
 * @param {(toast: HTMLElement) => void} fill
 */
function openToast(milliseconds, hasButton, fill) {
  const toast = toastElement();
  if (!toast) return;
  fill(toast);
  toast.hidden = false;
  isOffer = hasButton;
  // Whatever placing it comes to, the toast goes again.
  clearTimeout(timer);
  timer = setTimeout(expireToast, milliseconds);
  watchFeet();
}

function expireToast() {
  const isInUse = isOffer && toastElement()?.matches(":hover, :focus-within");
  if (isInUse) timer = setTimeout(expireToast, IN_USE_MS);
  else hideToast();
}

/** Hides the toast, an offer too. */
export function hideToast() {
  const toast = toastElement();
  if (toast) toast.hidden = true;
  isOffer = false;
}

/**
 * Hides a sentence that is no longer true.
 * @param {string} sentence
 */
export function withdrawToast(sentence) {
  if (toastElement()?.textContent === sentence) hideToast();
}

/** Hides a sentence, which is over once the agent opens something else. An offer stays. */
export function hideSentence() {
  if (!isOffer) hideToast();
}

window.addEventListener("resize", placeToast);
listen("viewChanged", watchFeet);

// An offer that the page was loaded with expires like any other.
const first = toastElement();
if (first && !first.hidden && first.querySelector(".undo")) {
  isOffer = true;
  timer = setTimeout(expireToast, OFFER_MS);
}
