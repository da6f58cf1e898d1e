// What every module does with elements.
import { rewriteTimes } from "./times.js";

/**
 * Parses what the server drew, and words its times as the browser does.
 * @param {string} html
 * @returns {DocumentFragment}
 */
export function parseHtml(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  rewriteTimes(template.content);
  return template.content;
}

/**
 * @param {string} html
 * @returns {HTMLElement[]} its outermost elements
 */
export function parseElements(html) {
  return [...parseHtml(html).children].filter((child) => child instanceof HTMLElement);
}

/**
 * Finds the element that an event is about: its target, or the closest one around it.
 * @param {Event} event
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
export function closestTarget({ target }, selector) {
  const found = target instanceof Element ? target.closest(selector) : null;
  return found instanceof HTMLElement ? found : null;
}

/**
 * Moves the focus without scrolling anything.
 * @param {Element | null | undefined} element
 */
export function focus(element) {
  if (element instanceof HTMLElement) element.focus({ preventScroll: true });
}

/**
 * Puts the caret behind the last word, so that whoever types goes on there.
 * @param {HTMLTextAreaElement} box
 */
export function placeCaretAtEnd(box) {
  box.setSelectionRange(box.value.length, box.value.length);
  box.scrollTop = box.scrollHeight;
}

/**
 * @param {Element | null | undefined} element
 * @returns {boolean} whether there was one to click
 */
export function click(element) {
  if (!(element instanceof HTMLElement)) return false;
  element.click();
  return true;
}
