// Selecting rows: one by one, a range of them, all that are loaded, or all of the view.
//
// What is selected is what is ticked, so that a row keeps it where it moves, and takes it along
// when it leaves.
import { areSingleKeysOff, isKeyOfMenu, isTypedIn } from "../page/keyboard-shortcuts.js";
import { closestTarget, focus } from "../shared/dom.js";
import { announce, listen } from "../shared/events.js";
import { openListing, openRows } from "../shared/page-elements.js";
import { closeMenus, readTools } from "./bulk-tools.js";

const LONG_PRESS_MS = 500;
/** Pixels that a finger may move in a long press. */
const STILL = 10;

/** Whoever touches the screen taps rows to select further ones. */
const touch = matchMedia("(hover: none)");

/**
 * All threads of the view, as it was when they were selected. Null while rows are selected one by
 * one.
 * @type {import("./bulk-tools.js").WholeView | null}
 */
let whole = null;
/**
 * All threads of the view that a toolbar asked for last.
 * @type {WeakMap<HTMLFormElement, import("./bulk-tools.js").WholeView>}
 */
const known = new WeakMap();
/** Whether rows are being selected, even if none is yet. */
let isSelecting = false;
/** The row from which a range begins, by its id. */
let anchor = "";
/**
 * Rows in the order in which the focus goes to them when the toolbar goes that holds it: the first
 * that is selected, those below, those above.
 * @type {(Element | null)[]}
 */
let heirs = [];

/** @returns {HTMLFormElement | null} */
export const bulkForm = () => document.querySelector("form.bulk");

/** @returns {HTMLInputElement[]} */
const boxes = () =>
  /** @type {HTMLInputElement[]} */ ([...(openRows()?.querySelectorAll(".row-select input") ?? [])]);

const ticked = () => boxes().filter((box) => box.checked);

/** @param {Element | null | undefined} row @returns {HTMLInputElement | null} */
const boxOf = (row) => row?.querySelector(".row-select input") ?? null;

/** @returns {HTMLElement[]} */
export const selectedRows = () =>
  ticked().map((box) => /** @type {HTMLElement} */ (box.closest(".row")));

/**
 * Returns what to send: the threads, each with the newest message that its row shows, or all of the
 * view.
 * @returns {Record<string, string>}
 */
export const selectedFields = () =>
  whole
    ? { newest: JSON.stringify(whole.newest) }
    : { thread: ticked().map((box) => box.value).join(" ") };

export const isWholeSelected = () => whole !== null;

/**
 * Returns whether a row had come in already when all of the view was selected.
 * @param {HTMLInputElement} box
 */
function isMeant(box) {
  const inbox = box.closest(".row")?.getAttribute("data-of")?.split("-")[1];
  const key = inbox ?? openListing()?.dataset.list ?? "";
  const newest = whole?.newest[key] ?? Math.max(0, ...Object.values(whole?.newest ?? {}));
  return Number(box.value.split("-")[1]) <= newest;
}

/** Notes where the focus goes when the toolbar goes: if all were selected, to the heading. */
function noteHeirs() {
  const rows = boxes().map((box) => box.closest(".row"));
  const first = whole ? -1 : rows.findIndex((row) => boxOf(row)?.checked);
  heirs = first < 0 ? [] : [...rows.slice(first), ...rows.slice(0, first).reverse()];
}

function focusHeir() {
  const row = heirs.find((one) => one?.isConnected);
  focus(row?.querySelector("a") ?? document.querySelector(".listing h1"));
}

/** Shows what is selected: in the rows, and in the toolbar. */
function show() {
  const listing = openListing();
  const form = bulkForm();
  if (!listing || !form) return;
  if (whole) for (const box of boxes()) box.checked = isMeant(box);
  const count = whole ? Math.max(1, whole.count) : ticked().length;
  const isShown = isSelecting && boxes().length > 0;
  const was = listing.classList.contains("is-selecting");
  const hadFocus = document.activeElement?.closest(".bulk, .many-menu");
  if (isShown && !was) {
    takePlace(form);
    readWhole(form).then(offerWhole);
  }
  listing.classList.toggle("is-selecting", isShown);
  openRows()?.classList.toggle("is-selecting", isShown);
  if (!isShown && was) {
    closeMenus();
    if (hadFocus) focusHeir();
  }
  noteHeirs();
  const words = form.querySelector("[data-selected-count]");
  const sentence = whole
    ? ["All", whole.words, "in this view"].filter(Boolean).join(" ")
    : `${count.toLocaleString("en")} selected`;
  if (words && words.textContent !== sentence) words.textContent = sentence;
  const all = form.querySelector("[data-select-loaded]");
  if (all instanceof HTMLInputElement) {
    all.checked = count > 0 && ticked().length === boxes().length;
    all.indeterminate = count > 0 && !all.checked;
  }
  for (const button of form.querySelectorAll(".bulk-deed")) {
    button.toggleAttribute("disabled", count === 0);
  }
  offerWhole();
  announce("selectionChanged");
}

/**
 * Puts the toolbar exactly over the search and the views.
 * @param {HTMLElement} form
 */
function takePlace(form) {
  const top = document.querySelector(".listing > .search")?.getBoundingClientRect().top;
  const bottom = document.querySelector("#found")?.getBoundingClientRect().top;
  const listing = openListing()?.getBoundingClientRect();
  if (top === undefined || bottom === undefined || !listing) return;
  form.style.setProperty("--bulk-top", `${top - listing.top}px`);
  form.style.setProperty("--bulk-height", `${bottom - top}px`);
}

window.addEventListener("resize", () => {
  const form = bulkForm();
  if (form && isSelecting) takePlace(form);
});

/** @param {HTMLFormElement} form */
async function readWhole(form) {
  const found = await readTools(form);
  if (found) known.set(form, found);
  return found;
}

/** @param {import("./bulk-tools.js").WholeView | null | undefined} found @param {number} than */
const hasMore = (found, than) => found != null && (found.hasMore || found.count > than);

/** Offers to select all of the view, where it has more than is selected. */
function offerWhole() {
  const form = bulkForm();
  const button = form?.querySelector("[data-select-whole]");
  if (!form || !(button instanceof HTMLElement)) return;
  const found = known.get(form);
  const isSearch = document.querySelector("#found")?.hasAttribute("data-searched");
  const isOffered = !whole && !isSearch && hasMore(found, ticked().length);
  if (!isOffered && button === document.activeElement) {
    focus(form.querySelector("[data-end-selection]"));
  }
  button.hidden = !isOffered;
  const words = `Select all ${found?.words ?? ""}`.trim();
  if (button.textContent !== words) button.textContent = words;
}

/** @param {HTMLInputElement} box @param {boolean} isChecked */
function tick(box, isChecked) {
  whole = null;
  box.checked = isChecked;
  anchor = box.closest(".row")?.id ?? "";
  isSelecting = ticked().length > 0;
  show();
}

/**
 * Selects all rows from the one that was selected last up to this one.
 * @param {HTMLInputElement} box
 */
function tickRange(box) {
  const all = boxes();
  const from = all.findIndex((one) => one.closest(".row")?.id === anchor);
  const to = all.indexOf(box);
  if (from < 0) {
    tick(box, true);
    return;
  }
  whole = null;
  for (const one of all.slice(Math.min(from, to), Math.max(from, to) + 1)) one.checked = true;
  isSelecting = true;
  show();
}

/** Ends selecting; nothing is selected then. */
export function endSelection() {
  whole = null;
  isSelecting = false;
  anchor = "";
  for (const box of boxes()) box.checked = false;
  show();
}

async function selectWhole() {
  const form = bulkForm();
  const found = form && (await readWhole(form));
  if (!found) return;
  for (const box of boxes()) box.checked = true;
  if (hasMore(found, boxes().length)) whole = found;
  isSelecting = true;
  show();
}

/** @param {string} key @param {boolean} isRange */
function selectByKey(key, isRange) {
  if (key.toLowerCase() !== "x") return false;
  const row =
    document.activeElement?.closest(".row") ??
    openRows()?.querySelector(".row-link[aria-current]")?.closest(".row");
  const box = boxOf(row);
  if (!box) return false;
  if (isRange) tickRange(box);
  else tick(box, !box.checked);
  return true;
}

// Before other keys: Escape ends this, and does not go back.
document.addEventListener("keydown", (event) => {
  const target = event.target instanceof Element ? event.target : document.body;
  if (event.defaultPrevented || isKeyOfMenu() || isTypedIn(target)) return;
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "Escape") {
    if (!isSelecting) return;
    event.preventDefault();
    endSelection();
  } else if (!event.repeat && !areSingleKeysOff() && selectByKey(event.key, event.shiftKey)) {
    event.preventDefault();
  }
}, true);

document.addEventListener("click", (event) => {
  if (closestTarget(event, "[data-end-selection]")) endSelection();
  else if (closestTarget(event, "[data-select-whole]")) selectWhole();
  else if (closestTarget(event, "[data-begin-selection]")) {
    if (isSelecting) endSelection();
    else {
      isSelecting = true;
      show();
    }
  }
  const box = boxOf(closestTarget(event, ".row-select")?.closest(".row"));
  if (!box || event.target !== box) return;
  if (event.shiftKey) tickRange(box);
  else tick(box, box.checked);
});

document.addEventListener("change", ({ target }) => {
  if (!(target instanceof HTMLInputElement) || !target.matches("[data-select-loaded]")) return;
  whole = null;
  for (const box of boxes()) box.checked = target.checked;
  isSelecting = target.checked;
  show();
});

/** A long press has selected a row: the click that follows opens nothing. */
let isPressed = false;

/**
 * Selects the row of a link that is clicked, where that is what the click is for.
 * @param {MouseEvent} event
 */
function selectByClick(event) {
  const box = boxOf(closestTarget(event, ".row-link")?.closest(".row"));
  if (!box) return false;
  if (isPressed) {
    isPressed = false;
    return true;
  }
  if (event.ctrlKey || event.altKey || event.metaKey || !isSelecting) return false;
  if (event.shiftKey) tickRange(box);
  else if (touch.matches) {
    tick(box, !box.checked);
    isSelecting = true;
    show();
  } else return false;
  return true;
}

document.addEventListener("click", (event) => {
  if (!selectByClick(event)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);

// Shift would mark the words between the two rows.
document.addEventListener("mousedown", (event) => {
  if (event.shiftKey && closestTarget(event, ".row-thread")) event.preventDefault();
});

/** @type {{timer: ReturnType<typeof setTimeout>, x: number, y: number} | null} */
let press = null;

function endPress() {
  if (press) clearTimeout(press.timer);
  press = null;
}

document.addEventListener("pointerdown", (event) => {
  endPress();
  isPressed = false;
  const box = boxOf(closestTarget(event, ".row-thread"));
  if (event.pointerType !== "touch" || !box) return;
  const timer = setTimeout(() => {
    endPress();
    isPressed = true;
    tick(box, !box.checked);
  }, LONG_PRESS_MS);
  press = { timer, x: event.clientX, y: event.clientY };
});

document.addEventListener("pointermove", (event) => {
  if (press && Math.hypot(event.clientX - press.x, event.clientY - press.y) > STILL) endPress();
}, { passive: true });

for (const type of ["pointerup", "pointercancel", "scroll"]) {
  document.addEventListener(type, endPress, { capture: true, passive: true });
}

document.addEventListener("contextmenu", (event) => {
  if (isPressed && closestTarget(event, ".row-thread")) event.preventDefault();
});

/** Rows came, changed or left: one that left is not selected any more. */
function follow() {
  if (isSelecting && !whole && !touch.matches && !ticked().length) isSelecting = false;
  show();
}

listen("fragmentsChanged", () => {
  if (isSelecting) follow();
});

document.addEventListener("htmx:after:swap", () => {
  if (!isSelecting) return;
  // Another list is shown, or what was found in it: nothing is selected there.
  if (!openListing()?.classList.contains("is-selecting")) endSelection();
  else follow();
});

// A row may have been ticked before this was loaded.
const last = ticked().at(-1);
if (last) tick(last, true);
