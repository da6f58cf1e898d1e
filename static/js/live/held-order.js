// Keeps rows where they are while somebody aims at one of them: what they say still changes.

/** Milliseconds without a motion after which nobody aims any more. */
const STILL_MS = 1_000;

/**
 * Rows that wait for their places, by list and id, as they are to be then.
 * @type {Map<HTMLElement, Map<string, HTMLElement>>}
 */
const waiting = new Map();
/** @type {HTMLElement | null} the list under the pointer; a finger is no pointer */
let pointedAt = null;
/** Where the pointer was last. */
let point = "";
/** When the pointer moved, or rows moved under it. */
let motionAt = -STILL_MS;
/** When a key was last pressed. */
let keyAt = -STILL_MS;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
/** @type {(list: HTMLElement, rows: HTMLElement[]) => void} */
let place = () => {};

/**
 * Has rows put into their places once nobody aims any more.
 * @param {typeof place} placeRows
 */
export function onRelease(placeRows) {
  place = placeRows;
}

/** @param {HTMLElement} list */
export function isHeld(list) {
  const now = performance.now();
  if (list === pointedAt && now - motionAt < STILL_MS) return true;
  return list.contains(document.activeElement) && now - keyAt < STILL_MS;
}

/**
 * Returns the row that waits for its place in a list, if any.
 * @param {HTMLElement} list
 * @param {string} id
 */
export const waitingRow = (list, id) => waiting.get(list)?.get(id);

/**
 * @param {HTMLElement} list
 * @param {HTMLElement} row as it is to be, or with `data-gone` if it is to leave
 */
export function holdRow(list, row) {
  const rows = waiting.get(list) ?? new Map();
  waiting.set(list, rows.set(row.id, row));
  timer ??= setTimeout(releaseStill, STILL_MS);
}

/** @param {string} id of a row that is gone at once */
export function forgetRow(id) {
  for (const rows of waiting.values()) rows.delete(id);
}

/**
 * Notes that the rows of a list moved: whoever points at it has to look again.
 * @param {HTMLElement} list
 */
export function noteMotion(list) {
  if (list === pointedAt) motionAt = performance.now();
}

/** @param {HTMLElement} list */
export function releaseRows(list) {
  const rows = waiting.get(list);
  waiting.delete(list);
  if (rows?.size && list.isConnected) place(list, [...rows.values()]);
}

function releaseStill() {
  clearTimeout(timer);
  timer = undefined;
  for (const list of [...waiting.keys()]) if (!isHeld(list)) releaseRows(list);
  if (!waiting.size) return;
  const since = performance.now() - Math.max(motionAt, keyAt);
  timer = setTimeout(releaseStill, Math.max(50, STILL_MS - since));
}

/** @param {HTMLElement | null} list */
function pointAt(list) {
  const isLeft = pointedAt && pointedAt !== list;
  pointedAt = list;
  if (isLeft) releaseStill();
}

document.addEventListener("pointermove", (event) => {
  const here = `${event.clientX} ${event.clientY}`;
  // Browsers say that it moved when only what is under it did.
  if (event.pointerType === "touch" || here === point) return;
  point = here;
  motionAt = performance.now();
  const list = event.target instanceof Element ? event.target.closest(".rows") : null;
  pointAt(list instanceof HTMLElement ? list : null);
}, { passive: true });

document.documentElement.addEventListener("pointerleave", () => pointAt(null));

document.addEventListener("keydown", () => {
  keyAt = performance.now();
});
