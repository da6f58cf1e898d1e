// Browsers open a filled text box with the caret before its first word. Here it stands behind the
// last one.
import { placeCaretAtEnd } from "../shared/dom.js";

/** Boxes in which the agent may have moved the caret. */
const opened = new WeakSet();

/** Places the caret in every box that was not there before. */
export function placeCarets() {
  for (const box of document.querySelectorAll("textarea")) {
    if (opened.has(box)) continue;
    opened.add(box);
    if (!box.selectionStart && !box.selectionEnd) placeCaretAtEnd(box);
  }
}

document.addEventListener("htmx:after:swap", placeCarets);
placeCarets();
