// Keys that belong to an input method (as for Japanese, Chinese, Korean) mean nothing else to the
// page: the Enter that ends a composition sends nothing, chooses nothing and leaves nothing.
//
// Chromium and Firefox tell such a key by `isComposing`. Safari ends the composition first, and
// sends the key afterwards, not composing any more but with the code 229. Some browsers send both:
// the key of the composition, and then the same press once more as a plain key.

/** The code by which browsers say that the input method handles a key itself. */
const HANDLED_BY_INPUT_METHOD = 229;
/** Milliseconds within which a plain key is still the press that ended the composition. */
const SAME_PRESS_MS = 20;

/** Whether a key is down that came while letters were composed. */
let isKeyDown = false;
/** When the last composition ended, as events tell the time. */
let endedAt = -SAME_PRESS_MS;

window.addEventListener("keydown", (event) => {
  if (event.isComposing || event.keyCode === HANDLED_BY_INPUT_METHOD) {
    isKeyDown = event.isComposing;
    event.stopImmediatePropagation();
  } else if (isKeyDown && event.timeStamp - endedAt < SAME_PRESS_MS) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }
}, true);

window.addEventListener("keyup", () => (isKeyDown = false), true);
window.addEventListener("compositionend", (event) => (endedAt = event.timeStamp), true);
