// Puts rows and messages where their keys say, when the server sends them.
import { arrange } from "../conversation/message-groups.js";
import { hold, settle } from "./scroll-anchor.js";
import { lowerBound } from "../shared/lower-bound.js";
import { rewriteTimes } from "../shared/times.js";

/**
 * What was taken away from which container, and at which seq: a frame that comes late cannot bring
 * it back.
 * @type {Map<string, string>}
 */
const tombstones = new Map();

/**
 * @param {string} container
 * @param {string} id
 */
const grave = (container, id) => `${container} ${id}`;

/** @param {HTMLElement} element */
const graveOf = (element) => grave(element.dataset.in ?? "", element.id);

/**
 * Changes to what is not loaded yet. The page that is asked for later may be older than they are.
 * @type {Map<string, HTMLElement>}
 */
const beyond = new Map();

/**
 * @param {string} one
 * @param {string} other
 * @returns {number} below zero if `one` is lower; keys are compared part by part, as numbers
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
 * A seq has the inbox's counter, and in rows the agent's behind it: both only grow.
 * @param {HTMLElement} element
 */
const seqOf = (element) => element.dataset.seq ?? "0";

/**
 * @param {HTMLElement} one
 * @param {HTMLElement} other
 */
const isNewer = (one, other) => compareKeys(seqOf(one), seqOf(other)) > 0;

/** @param {HTMLElement} container */
const isLog = (container) => container.dataset.order === "asc";

/**
 * @param {string} html
 * @returns {HTMLElement[]}
 */
function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return [...template.content.children].filter((child) => child instanceof HTMLElement);
}

/** @param {HTMLElement} element */
function isStale(element) {
  const gone = tombstones.get(graveOf(element));
  return gone !== undefined && compareKeys(gone, seqOf(element)) >= 0;
}

/**
 * Puts each root element of `html` into the container that it names, in the order of its key.
 * What is older than what stands there, or belongs to a container that is not open, is left out. An
 * element that says that it is gone takes away what stands there.
 * @param {string} html
 */
export function place(html) {
  /** @type {Map<HTMLElement, HTMLElement[]>} */
  const byContainer = new Map();
  for (const element of parse(html)) {
    const container = document.getElementById(element.dataset.in ?? "");
    if (!container || isStale(element)) continue;
    const old = document.getElementById(element.id);
    if (old && !isNewer(element, old)) continue;
    if ("gone" in element.dataset) {
      takeAway(element.id, element.dataset.in ?? "", seqOf(element));
      continue;
    }
    tombstones.delete(graveOf(element));
    if (old && old.dataset.in !== element.dataset.in) old.remove();
    byContainer.set(container, [...(byContainer.get(container) ?? []), element]);
  }
  for (const [container, elements] of byContainer) placeIn(container, elements);
  document.dispatchEvent(new CustomEvent("partyline:placed"));
}

/**
 * @param {HTMLElement} container
 * @param {HTMLElement[]} elements
 */
function placeIn(container, elements) {
  const held = hold(container, elements);
  /** @type {HTMLElement[]} */
  const added = [];
  for (const element of elements) {
    rewriteTimes(element);
    const placed = placeOne(container, element, added);
    if (placed) window.htmx?.process(placed);
  }
  if (isLog(container)) arrange(container);
  settle(held, added);
}

/**
 * @param {HTMLElement} container
 * @param {HTMLElement} element
 * @param {HTMLElement[]} added collects what was not there before
 * @returns {HTMLElement | null} what now stands in the page
 */
function placeOne(container, element, added) {
  const old = document.getElementById(element.id);
  if (old && old.dataset.key === element.dataset.key) {
    renew(old, element);
    return old;
  }
  const siblings = /** @type {HTMLElement[]} */ (
    [...container.children].filter((child) => child !== old && child.hasAttribute("data-key"))
  );
  const key = element.dataset.key ?? "";
  const direction = isLog(container) ? 1 : -1;
  const index = lowerBound(
    siblings,
    (sibling) => direction * compareKeys(sibling.dataset.key ?? "", key) < 0,
  );
  if (isUnloaded(container, siblings, index)) {
    old?.remove();
    beyond.set(element.id, element);
    return null;
  }
  const next = siblings[index] ?? siblings.at(-1)?.nextElementSibling ?? tail(container);
  if (old) {
    renew(old, element);
    move(container, old, next === old ? old.nextElementSibling : next);
    return old;
  }
  container.insertBefore(element, next);
  added.push(element);
  return element;
}

/** @param {HTMLElement} container */
function tail(container) {
  return container.querySelector(isLog(container) ? ":scope > .typing" : ":scope > .more");
}

/**
 * Whether the place lies beyond what was loaded, where a gap would open.
 * @param {HTMLElement} container
 * @param {HTMLElement[]} siblings
 * @param {number} index
 */
function isUnloaded(container, siblings, index) {
  if (!siblings.length) return false;
  if (isLog(container)) return index === 0 && Boolean(container.querySelector(":scope > .older"));
  return index === siblings.length && Boolean(tail(container));
}

/**
 * Moves without losing focus or selection, also in browsers that cannot do it by themselves.
 * @param {HTMLElement} container
 * @param {HTMLElement} element
 * @param {Element | null} next
 */
function move(container, element, next) {
  if (typeof container.moveBefore === "function") {
    container.moveBefore(element, next);
    return;
  }
  const focused = document.activeElement;
  const hadFocus = focused instanceof HTMLElement && element.contains(focused);
  container.insertBefore(element, next);
  if (hadFocus) focused.focus({ preventScroll: true });
}

/**
 * Makes an element equal to a newer one of the same kind, touching only what differs: what has
 * focus or is selected stays so. What the page itself noted on it stays too.
 * @param {Element} old
 * @param {Element} fresh
 */
function renew(old, fresh) {
  // A long text that somebody unfolded stays so.
  if (old.classList.contains("is-whole")) return;
  const kept = ["aria-current", "data-htmx-powered", "disabled"];
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !kept.includes(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  const before = [...old.childNodes];
  const after = [...fresh.childNodes];
  const isAlike =
    before.length === after.length &&
    before.every((node, i) => node.nodeName === after[i]?.nodeName);
  if (!isAlike) {
    replaceChildren(old, after);
    return;
  }
  before.forEach((node, i) => {
    const newer = after[i];
    if (node instanceof Element && newer instanceof Element) renew(node, newer);
    else if (newer && node.nodeValue !== newer.nodeValue) node.nodeValue = newer.nodeValue;
  });
}

/**
 * @param {Element} old
 * @param {Node[]} children
 */
function replaceChildren(old, children) {
  const focused = document.activeElement;
  const hadFocus = focused !== old && old.contains(focused);
  const classes = focused?.className ?? "";
  const pairs = children.map((child) => {
    const twin =
      child instanceof Element &&
      [...old.children].find(
        (one) => one.tagName === child.tagName && one.classList[0] === child.classList[0],
      );
    if (!twin) return child;
    renew(twin, child);
    return twin;
  });
  old.replaceChildren(...new Set(pairs));
  if (!hadFocus) return;
  const heir =
    focused?.isConnected && old.contains(focused)
      ? focused
      : (old.querySelector(`[class="${CSS.escape(classes)}"]`) ?? old.closest("[tabindex], .log"));
  if (heir instanceof HTMLElement) heir.focus({ preventScroll: true });
}

/**
 * Takes inboxes from the top list; an older frame cannot bring them back.
 * @param {string[]} ids
 */
export function remove(ids) {
  for (const id of ids) {
    const old = document.getElementById(id);
    takeAway(id, old?.dataset.in ?? "list-top", old ? seqOf(old) : "0");
  }
  document.dispatchEvent(new CustomEvent("partyline:placed"));
}

/**
 * @param {string} id
 * @param {string} from the container
 * @param {string} seq when it went
 */
function takeAway(id, from, seq) {
  const key = grave(from, id);
  if (compareKeys(seq, tombstones.get(key) ?? "-1") > 0) tombstones.set(key, seq);
  beyond.delete(id);
  const old = document.getElementById(id);
  const container = document.getElementById(from);
  if (!old || !container) {
    old?.remove();
    return;
  }
  const held = hold(container, [old]);
  const hadFocus = old.contains(document.activeElement);
  const neighbour = old.nextElementSibling ?? old.previousElementSibling;
  old.remove();
  if (hadFocus) neighbour?.querySelector("a")?.focus({ preventScroll: true });
  if (isLog(container)) arrange(container);
  settle(held, []);
}

// A further page may hold what has moved into the loaded part meanwhile, or what has changed.
document.addEventListener("htmx:before:swap", (event) => {
  const { tasks } = /** @type {CustomEvent} */ (event).detail;
  for (const task of tasks) {
    if (task.target?.id === "panes" || task.target?.id === "conversation") beyond.clear();
    if (!task.target?.matches?.(".more, .older")) continue;
    for (const row of task.fragment.querySelectorAll("[data-in]")) {
      const late = beyond.get(row.id);
      beyond.delete(row.id);
      const isGone = "gone" in row.dataset || isStale(row);
      if (isGone || document.getElementById(row.id)) row.remove();
      else if (late && isNewer(late, row) && late.dataset.key === row.dataset.key) {
        row.replaceWith(late);
      }
    }
  }
});
