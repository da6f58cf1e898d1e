// Keeps in place what somebody reads while things come and go around it, and moves the rest gently.
import { announce } from "../shared/events.js";
import { lowerBound } from "../shared/lower-bound.js";

const calm = matchMedia("(prefers-reduced-motion: reduce)");
/** Pixels from the end that still count as the bottom. */
const NEAR = 48;

/**
 * What was in view before a change.
 * @typedef {object} ScrollSnapshot
 * @property {HTMLElement} container
 * @property {boolean} isAtBottom
 * @property {HTMLElement | null} anchor the first element in view that the change does not touch
 * @property {number} top of the anchor
 * @property {Map<HTMLElement, number>} tops of all that was in view
 * @property {Element | null} last
 */

/** @param {HTMLElement} scroller */
export function isAtBottom(scroller) {
  return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR;
}

/** @param {HTMLElement} scroller */
export function scrollToBottom(scroller) {
  scroller.scrollTop = scroller.scrollHeight;
}

/**
 * Notes what is in view. To be called before a change.
 * @param {HTMLElement} container
 * @param {HTMLElement[]} changing elements that will change: the anchor is none of them
 * @returns {ScrollSnapshot}
 */
export function captureScroll(container, changing) {
  const ids = new Set(changing.map((element) => element.id));
  const frame = container.getBoundingClientRect();
  /** @type {Map<HTMLElement, number>} */
  const tops = new Map();
  // The heading of a day stays in view while its messages leave it.
  const children = /** @type {HTMLElement[]} */ (
    [...container.children].filter((child) => !child.matches(".day"))
  );
  const isAbove = (/** @type {HTMLElement} */ child) =>
    child.getBoundingClientRect().bottom <= frame.top;
  /** @type {HTMLElement | null} */
  let anchor = null;
  for (const child of children.slice(lowerBound(children, isAbove))) {
    const { top } = child.getBoundingClientRect();
    if (top > frame.bottom) break;
    tops.set(child, top);
    if (!anchor && child.hasAttribute("data-key") && !ids.has(child.id)) anchor = child;
  }
  // One that moves into view comes from somewhere.
  for (const id of ids) {
    const moving = document.getElementById(id);
    if (moving && !tops.has(moving)) tops.set(moving, moving.getBoundingClientRect().top);
  }
  return {
    container,
    isAtBottom: isAtBottom(container),
    anchor,
    top: anchor ? (tops.get(anchor) ?? 0) : 0,
    tops,
    last: [...container.querySelectorAll(":scope > [data-key]")].at(-1) ?? null,
  };
}

/**
 * Scrolls so that the anchor is where it was, and shows gently what moved and what is new. To be
 * called after a change.
 * @param {ScrollSnapshot} snapshot
 * @param {HTMLElement[]} added
 */
export function restoreScroll(snapshot, added) {
  const { container } = snapshot;
  const isLog = container.dataset.order === "asc";
  if (isLog) restoreLog(snapshot, added);
  else if (container.scrollTop > 4) scrollToAnchor(snapshot);
  if (calm.matches || document.hidden) return;
  const frame = container.getBoundingClientRect();
  if (!isLog) for (const [element, top] of snapshot.tops) animateMove(frame, element, top);
  for (const element of added) animateArrival(element, isLog ? 6 : -8, isLog ? 120 : 150);
}

/** @param {ScrollSnapshot} snapshot */
function scrollToAnchor({ container, anchor, top }) {
  if (!anchor?.isConnected) return;
  const drift = anchor.getBoundingClientRect().top - top;
  if (drift) container.scrollTop += drift;
}

/**
 * Stays at the bottom of a history, or tells that something newer is below.
 * @param {ScrollSnapshot} snapshot
 * @param {HTMLElement[]} added
 */
function restoreLog(snapshot, added) {
  const { container, last } = snapshot;
  if (snapshot.isAtBottom) {
    scrollToBottom(container);
    return;
  }
  scrollToAnchor(snapshot);
  const messages = added.filter((element) => !element.matches(".activity"));
  const newer = messages.filter(
    (element) =>
      !last || last.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING,
  );
  if (newer.length) announce("newerMessages", { count: newer.length });
}

/**
 * @param {DOMRect} frame what is in view
 * @param {HTMLElement} element
 * @param {number} before where its top was
 */
function animateMove(frame, element, before) {
  if (!element.isConnected) return;
  const { top, bottom } = element.getBoundingClientRect();
  const from = Math.min(before, frame.bottom);
  if (Math.abs(from - top) <= 1 || bottom <= frame.top || top >= frame.bottom) return;
  element.animate([{ transform: `translateY(${from - top}px)` }, { transform: "none" }], {
    duration: 150,
    easing: "ease-out",
  });
}

/**
 * @param {HTMLElement} element
 * @param {number} distance
 * @param {number} duration
 */
function animateArrival(element, distance, duration) {
  element.animate(
    [
      { opacity: 0, transform: `translateY(${distance}px)` },
      { opacity: 1, transform: "none" },
    ],
    { duration, easing: "ease-out" },
  );
}
