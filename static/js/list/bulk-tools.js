// What the toolbar for many conversations asks the server: how many there are in the view, and what
// its menus offer.
import { parseHtml } from "../shared/dom.js";
import { fetchHtml } from "../shared/requests.js";

/**
 * All threads of a view at one time: in words how many they are, and the newest message of each
 * inbox. Of many only some are counted; then it has more than `count`.
 * @typedef {object} WholeView
 * @property {number} count
 * @property {boolean} hasMore
 * @property {string} words
 * @property {Record<string, number>} newest
 */

/**
 * Reads them anew. The menus are filled with it.
 * @param {HTMLFormElement} form
 * @returns {Promise<WholeView | null>} null if they can't be read
 */
export async function readTools(form) {
  const html = await fetchHtml(`${form.dataset.tools}?${whereSelected(form)}`);
  if (html === null || !form.isConnected) return null;
  const fresh = parseHtml(html);
  for (const menu of document.querySelectorAll(".many-menu:not(:popover-open)")) {
    menu.replaceChildren(...(fresh.querySelector(`#${menu.id}-items`)?.children ?? []));
  }
  const view = fresh.querySelector("#many-view");
  if (!(view instanceof HTMLElement)) return null;
  return {
    count: Number(view.dataset.found),
    hasMore: "hasMore" in view.dataset,
    words: view.dataset.words ?? "",
    newest: JSON.parse(view.dataset.newest ?? "{}"),
  };
}

export function closeMenus() {
  /** @type {HTMLElement | null} */ (document.querySelector(".many-menu:popover-open"))?.hidePopover();
}

/**
 * Returns the fields that name the list in which rows are selected.
 * @param {HTMLFormElement} form
 */
export function whereSelected(form) {
  const fields = new URLSearchParams(form.dataset.query);
  const inbox = form.querySelector("[name=inbox]");
  if (inbox instanceof HTMLInputElement) fields.set("inbox", inbox.value);
  return fields;
}
