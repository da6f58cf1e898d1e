// Keeps what one reads where it is while things come and go around it, and moves the rest softly.
import { lowerBound } from "../shared/lower-bound.js";

const calm = matchMedia("(prefers-reduced-motion: reduce)");
const NEAR = 48;

/**
 * @typedef {object} Held
 * @property {HTMLElement} container
 * @property {boolean} isAtBottom
 * @property {HTMLElement | null} anchor what stood first in view and stays
 * @property {number} top where it stood
 * @property {Map<HTMLElement, number>} tops where all that was in view stood
 * @property {Element | null} last
 */

/** @param {HTMLElement} scroller */
export function isAtBottom(scroller) {
  return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR;
}

/** @param {HTMLElement} scroller */
export function toBottom(scroller) {
  scroller.scrollTop = scroller.scrollHeight;
}

/**
 * Notes how things stand, before a change.
 * @param {HTMLElement} container
 * @param {HTMLElement[]} changing what the anchor must not be
 * @returns {Held}
 */
export function hold(container, changing) {
  const ids = new Set(changing.map((element) => element.id));
  const frame = container.getBoundingClientRect();
  /** @type {Map<HTMLElement, number>} */
  const tops = new Map();
  const children = /** @type {HTMLElement[]} */ ([...container.children]);
  /** @type {HTMLElement | null} */
  let anchor = null;
  const isAbove = (/** @type {HTMLElement} */ child) =>
    child.getBoundingClientRect().bottom <= frame.top;
  for (const child of children.slice(lowerBound(children, isAbove))) {
    const { top } = child.getBoundingClientRect();
    if (top > frame.bottom) break;
    tops.set(child, top);
    if (!anchor && child.hasAttribute("data-key") && !ids.has(child.id)) anchor = child;
  }
  // One that moves from out of view still comes from somewhere.
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
 * Puts the view right after a change, and shows softly what moved and what is new.
 * @param {Held} held
 * @param {HTMLElement[]} added
 */
export function settle(held, added) {
  const { container } = held;
  if (container.dataset.order === "asc") settleLog(held, added);
  else if (container.scrollTop > 4) keepAnchor(held);
  if (calm.matches || document.hidden) return;
  if (container.dataset.order === "asc") {
    for (const element of added) appear(element, 6, 120);
    return;
  }
  const frame = container.getBoundingClientRect();
  for (const [element, before] of held.tops) {
    if (!element.isConnected) continue;
    const { top, bottom } = element.getBoundingClientRect();
    const from = Math.min(before, frame.bottom);
    if (Math.abs(from - top) > 1 && bottom > frame.top && top < frame.bottom) {
      element.animate([{ transform: `translateY(${from - top}px)` }, { transform: "none" }], {
        duration: 150,
        easing: "ease-out",
      });
    }
  }
  for (const element of added) appear(element, -8, 150);
}

/** @param {Held} held */
function keepAnchor({ container, anchor, top }) {
  if (!anchor?.isConnected) return;
  const drift = anchor.getBoundingClientRect().top - top;
  if (drift) container.scrollTop += drift;
}

/**
 * @param {Held} held
 * @param {HTMLElement[]} added
 */
function settleLog(held, added) {
  const { container, last } = held;
  if (held.isAtBottom) {
    toBottom(container);
    return;
  }
  keepAnchor(held);
  const isNewer = added.some(
    (element) =>
      !last || last.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING,
  );
  if (isNewer) container.dispatchEvent(new CustomEvent("partyline:newer", { bubbles: true }));
}

/**
 * @param {HTMLElement} element
 * @param {number} distance
 * @param {number} duration
 */
function appear(element, distance, duration) {
  element.animate(
    [
      { opacity: 0, transform: `translateY(${distance}px)` },
      { opacity: 1, transform: "none" },
    ],
    { duration, easing: "ease-out" },
  );
}
