// Fragments from the server: each names its container, and its key says where in it it belongs.
import { groupMessages } from "../conversation/message-groups.js";
import { focus, parseElements } from "../shared/dom.js";
import { announce } from "../shared/events.js";
import { lowerBound } from "../shared/lower-bound.js";
import { isNavigation } from "../shared/page-elements.js";
import { rewriteTimes } from "../shared/times.js";
import { forgetRow, holdRow, isHeld, noteMotion, onRelease, releaseRows, waitingRow } from "./held-order.js";
import { morph } from "./morph.js";
import { captureScroll, restoreScroll } from "./scroll-anchor.js";

/**
 * What was removed from which container, and at which seq, so that a fragment that comes late does
 * not bring it back.
 * @type {Map<string, string>}
 */
const tombstones = new Map();

/**
 * @param {string} container
 * @param {string} id
 */
const tombstoneKey = (container, id) => `${container} ${id}`;

/** @param {HTMLElement} element */
const tombstoneKeyOf = (element) => tombstoneKey(element.dataset.in ?? "", element.id);

/**
 * Changes to elements that are not loaded yet. The page that is asked for later may be older.
 * @type {Map<string, HTMLElement>}
 */
const unloaded = new Map();

/**
 * Compares keys part by part, as numbers.
 * @param {string} one
 * @param {string} other
 * @returns {number} below zero if `one` is lower
 */
export function compareKeys(one, other) {
  const left = one.split("-");
  const right = other.split("-");
  for (let i = 0; i < Math.max(left.length, right.length); i += 1) {
    const difference = Number(left[i] ?? 0) - Number(right[i] ?? 0);
    if (difference) return difference;
  }
  return 0;
}

/**
 * Returns the inbox's change counter, and in rows the agent's behind it: both only grow.
 * @param {HTMLElement} element
 */
const seqOf = (element) => element.dataset.seq ?? "0";

/** @param {HTMLElement} element */
const keyOf = (element) => element.dataset.key ?? "";

/**
 * @param {HTMLElement} one
 * @param {HTMLElement} other
 */
const isNewer = (one, other) => compareKeys(seqOf(one), seqOf(other)) > 0;

/** @param {HTMLElement} container */
const isLog = (container) => container.dataset.order === "asc";

/** @param {HTMLElement} element */
function isRemoved(element) {
  const seq = tombstones.get(tombstoneKeyOf(element));
  return seq !== undefined && compareKeys(seq, seqOf(element)) >= 0;
}

/**
 * Puts each outermost element of `html` into the container that it names, in the order of the keys.
 * It is left out if the page has a newer one, or if its container is not open. One with `data-gone`
 * removes what the page has.
 * @param {string} html
 */
export function insertFragments(html) {
  /** @type {Map<HTMLElement, HTMLElement[]>} */
  const byContainer = new Map();
  for (const element of parseElements(html)) {
    const container = document.getElementById(element.dataset.in ?? "");
    if (!container || isRemoved(element)) continue;
    const old = document.getElementById(element.id);
    const known = waitingRow(container, element.id) ?? old;
    if (known && !isNewer(element, known)) continue;
    if ("gone" in element.dataset) {
      if (old && !isLog(container) && isHeld(container)) holdRow(container, element);
      else removeFragment(element.id, element.dataset.in ?? "", seqOf(element));
      continue;
    }
    tombstones.delete(tombstoneKeyOf(element));
    if (old && old.dataset.in !== element.dataset.in) old.remove();
    byContainer.set(container, [...(byContainer.get(container) ?? []), element]);
  }
  for (const [container, elements] of byContainer) {
    if (isLog(container)) insertAll(container, elements);
    else insertRows(container, elements);
  }
  announce("fragmentsChanged");
}

/**
 * Shows what rows say now, and puts them into their places unless somebody aims at one of them.
 * @param {HTMLElement} list
 * @param {HTMLElement[]} rows
 */
function insertRows(list, rows) {
  if (!isHeld(list)) {
    releaseRows(list);
    insertAll(list, rows);
    return;
  }
  /** @type {HTMLElement[]} */
  const staying = [];
  for (const row of rows) {
    const old = document.getElementById(row.id);
    forgetRow(row.id);
    if (old && keyOf(old) === keyOf(row)) {
      staying.push(row);
      continue;
    }
    holdRow(list, row);
    if (!old) continue;
    const shown = /** @type {HTMLElement} */ (row.cloneNode(true));
    shown.dataset.key = keyOf(old);
    staying.push(shown);
  }
  insertAll(list, staying);
}

onRelease((list, rows) => {
  for (const row of rows) if ("gone" in row.dataset) removeFragment(row.id, list.id, seqOf(row));
  insertAll(list, rows.filter((row) => !("gone" in row.dataset)));
  announce("fragmentsChanged");
});

/**
 * @param {HTMLElement} container
 * @param {HTMLElement[]} elements
 */
function insertAll(container, elements) {
  const snapshot = captureScroll(container, elements);
  /** @type {HTMLElement[]} */
  const added = [];
  let hasMoved = false;
  for (const element of elements) {
    hasMoved ||= document.getElementById(element.id)?.dataset.key !== keyOf(element);
    rewriteTimes(element);
    const inserted = insertOne(container, element);
    if (inserted === element) added.push(element);
    if (inserted) window.htmx?.process(inserted);
  }
  if (isLog(container)) groupMessages(container);
  restoreScroll(snapshot, added);
  if (hasMoved) noteMotion(container);
}

/**
 * @param {HTMLElement} container
 * @param {HTMLElement} element
 * @returns {HTMLElement | null} what is in the page now: the element, or an older one that was made
 *   equal to it; null if it belongs beyond what is loaded
 */
function insertOne(container, element) {
  const old = document.getElementById(element.id);
  if (old && old.dataset.key === element.dataset.key) {
    morph(old, element);
    return old;
  }
  const siblings = /** @type {HTMLElement[]} */ (
    [...container.children].filter((child) => child !== old && child.hasAttribute("data-key"))
  );
  const direction = isLog(container) ? 1 : -1;
  const index = lowerBound(
    siblings,
    (sibling) => direction * compareKeys(keyOf(sibling), keyOf(element)) < 0,
  );
  if (isBeyondLoaded(container, siblings, index)) {
    old?.remove();
    unloaded.set(element.id, element);
    return null;
  }
  const next = siblings[index] ?? siblings.at(-1)?.nextElementSibling ?? lastChild(container);
  if (old) {
    morph(old, element);
    moveElement(container, old, next === old ? old.nextElementSibling : next);
    return old;
  }
  container.insertBefore(element, next);
  return element;
}

/**
 * Returns what stays behind all rows or messages.
 * @param {HTMLElement} container
 */
function lastChild(container) {
  return container.querySelector(isLog(container) ? ":scope > .typing" : ":scope > .more");
}

/**
 * Returns whether an element would leave a gap between itself and what is loaded.
 * @param {HTMLElement} container
 * @param {HTMLElement[]} siblings
 * @param {number} index before which sibling the element belongs
 */
function isBeyondLoaded(container, siblings, index) {
  if (!siblings.length) return false;
  if (isLog(container)) return index === 0 && Boolean(container.querySelector(":scope > .older"));
  return index === siblings.length && Boolean(lastChild(container));
}

/**
 * Moves an element without losing focus or selection, also in browsers without `moveBefore`.
 * @param {HTMLElement} container
 * @param {HTMLElement} element
 * @param {Element | null} next
 */
function moveElement(container, element, next) {
  if (typeof container.moveBefore === "function") {
    container.moveBefore(element, next);
    return;
  }
  const focused = document.activeElement;
  const hadFocus = element.contains(focused);
  container.insertBefore(element, next);
  if (hadFocus) focus(focused);
}

/**
 * Removes elements and what says that it is part of them; an older fragment does not bring them
 * back.
 * @param {string[]} ids
 */
export function removeFragments(ids) {
  for (const id of ids) {
    const old = document.getElementById(id);
    removeFragment(id, old?.dataset.in ?? "list-top", old ? seqOf(old) : "0");
    for (const part of document.querySelectorAll(`[data-of="${id}"]`)) part.remove();
  }
  announce("fragmentsChanged");
}

/**
 * @param {string} id
 * @param {string} from the container's id
 * @param {string} seq
 */
function removeFragment(id, from, seq) {
  const key = tombstoneKey(from, id);
  if (compareKeys(seq, tombstones.get(key) ?? "-1") > 0) tombstones.set(key, seq);
  unloaded.delete(id);
  forgetRow(id);
  const old = document.getElementById(id);
  const container = document.getElementById(from);
  if (!old || !container) {
    old?.remove();
    return;
  }
  const snapshot = captureScroll(container, [old]);
  const hadFocus = old.contains(document.activeElement);
  const neighbour = old.nextElementSibling ?? old.previousElementSibling;
  old.remove();
  if (hadFocus) focus(neighbour?.querySelector("a"));
  if (isLog(container)) groupMessages(container);
  restoreScroll(snapshot, []);
}

/**
 * Removes from a further page what has moved into the loaded part meanwhile, and renews what has
 * changed.
 * @param {DocumentFragment} page
 */
function updateFurtherPage(page) {
  for (const row of page.querySelectorAll("[data-in]")) {
    if (!(row instanceof HTMLElement)) continue;
    const newer = unloaded.get(row.id);
    unloaded.delete(row.id);
    const isGone = "gone" in row.dataset || isRemoved(row);
    if (isGone || document.getElementById(row.id)) row.remove();
    else if (newer && isNewer(newer, row) && keyOf(newer) === keyOf(row)) row.replaceWith(newer);
  }
}

document.addEventListener("htmx:before:swap", ({ detail: { tasks } }) => {
  for (const { target, fragment } of tasks) {
    if (!(target instanceof Element)) continue;
    if (isNavigation({ target })) unloaded.clear();
    if (target.matches(".more, .older")) updateFurtherPage(fragment);
  }
});
