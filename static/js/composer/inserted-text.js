// Text that the page puts into a box, as if it were typed.

/**
 * Replaces a part of a box's text. The browser can undo it where it offers a way to do that.
 * @param {HTMLTextAreaElement | HTMLInputElement} box
 * @param {string} text
 * @param {{start: number, end: number}} part in UTF-16 units
 */
export function insertText(box, text, { start, end }) {
  box.focus({ preventScroll: true });
  const before = box.value;
  if (before.slice(start, end) === text) return;
  box.setSelectionRange(start, end);
  // Nothing else writes into the browser's own list of what can be undone.
  document.execCommand(text ? "insertText" : "delete", false, text);
  if (box.value !== before) return;
  box.setRangeText(text, start, end, "end");
  box.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertText" }));
}
