// The parts of the page that several modules look for.

// The style sheets use the same words. A phone on its side has the width for both, but not the height.
const narrow = matchMedia("(max-width: 760px), (max-width: 960px) and (max-height: 500px)");

/** Returns whether the list and the conversation take turns, for want of room. */
export const isNarrow = () => narrow.matches;

/** @returns {HTMLElement | null} where the socket is held; it also knows who is signed in */
export const liveElement = () => document.getElementById("live");

/** @returns {HTMLElement | null} */
export const openListing = () => document.querySelector(".listing");

/** @returns {HTMLElement | null} */
export const openRows = () => document.querySelector(".rows");

/**
 * Returns the sort key of the last row that is loaded: empty where all of them are.
 * @returns {string}
 */
export function lastLoadedKey() {
  const rows = openRows()?.querySelectorAll(":scope > .row-thread");
  const last = rows?.[rows.length - 1];
  const hasMore = openRows()?.querySelector(":scope > .more");
  return (hasMore && last instanceof HTMLElement && last.dataset.key) || "";
}

/** @returns {HTMLElement | null} the conversation */
export const openThread = () => document.querySelector("article.thread");

/** @returns {number | null} */
export function openThreadKey() {
  const thread = openThread();
  return thread && Number(thread.dataset.thread);
}

/** @returns {HTMLElement | null} the messages of the conversation */
export const openLog = () => document.querySelector(".log");

/** @returns {HTMLFormElement | null} */
export const composerForm = () => document.querySelector("#composer");

/** @returns {HTMLFormElement | null} the open form that takes files: of a text, or a first text */
export const attachingForm = () => document.querySelector("#composer, #start");

/**
 * Returns the box that a form writes its text in.
 * @param {ParentNode} form one that has such a box
 */
export const textBox = (form) =>
  /** @type {HTMLTextAreaElement} */ (form.querySelector("textarea"));

/**
 * Returns a form's field of this name. A button outside the form may have the same name.
 * @param {HTMLFormElement} form one that has such a field
 * @param {string} name
 */
export const formField = (form, name) =>
  /** @type {HTMLInputElement} */ (form.querySelector(`:is(input, select)[name="${name}"]`));

/**
 * Presses one of the composer's buttons, so that a disabled one sends nothing.
 * @param {HTMLFormElement} form
 * @param {{marksDone?: boolean}} [wish] to mark the conversation as done too
 */
export function pressSend(form, { marksDone = false } = {}) {
  const button = form.querySelector(marksDone ? ".send-done" : ".send");
  if (button instanceof HTMLButtonElement) button.click();
}

/**
 * Returns whether a request, or a part of its answer, is for a list or a conversation.
 * @param {{target: Element | null}} request
 */
export const isNavigation = ({ target }) =>
  ["panes", "conversation"].includes(target?.id ?? "");
