// The forms in which saved replies can be inserted: of a text, a first text, and a scheduled text.
import { formField } from "../shared/page-elements.js";

/** A selector of their boxes. */
export const BOXES = ":is(#composer, #start, #change-later) textarea";

/**
 * Returns the address of the replies that can be inserted in a form.
 * @param {HTMLFormElement} form
 * @returns {string} empty as long as no inbox is chosen
 */
export function repliesAddress(form) {
  const { thread } = form.dataset;
  if (thread) return `/threads/${thread}/saved-replies/`;
  const inbox = formField(form, "inbox").value;
  const to = new URLSearchParams({ to: formField(form, "to").value });
  return inbox && `/inboxes/${inbox}/saved-replies/?${to}`;
}

/**
 * Returns whether the files of a reply can be added to the form's text.
 * @param {HTMLFormElement} form
 */
export const takesFiles = (form) => Boolean(form.dataset.upload);

/**
 * Returns what the server is told of a use.
 * @param {HTMLFormElement} form
 * @returns {Record<string, string>}
 */
export function useFields(form) {
  if (!takesFiles(form)) return { words_only: "true" };
  const { thread } = form.dataset;
  return thread ? { thread } : {};
}
