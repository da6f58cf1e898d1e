// What is done with views and many rows is fetched with the first gesture, or when the page is at
// rest: the first page stays light. A gesture that came before it is made again.
import { closestTarget } from "../shared/dom.js";

/** Milliseconds until the page is at rest. */
const REST_MS = 2_000;
// A pointer that rests and a focus that the page sets are none.
const GESTURES = ["pointermove", "pointerdown", "keydown", "click"];

/** @type {Promise<unknown> | null} */
let loading = null;
let isLoaded = false;
/** @type {(() => void) | null} */
let repeat = null;

function load() {
  loading ??= Promise.all([import("./bulk-deeds.js"), import("./views-menu.js")])
    .then(finish)
    .catch(() => (loading = null));
}

function finish() {
  isLoaded = true;
  for (const type of GESTURES) document.removeEventListener(type, note, true);
  repeat?.();
}

/** @param {Event} event */
function note(event) {
  load();
  if (isLoaded) return;
  const begin = event.type === "click" && closestTarget(event, "[data-begin-selection]");
  if (begin) repeat = () => begin.click();
  else if (event instanceof KeyboardEvent && event.key.toLowerCase() === "x") {
    const { target, key, shiftKey } = event;
    repeat = () => target?.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey, bubbles: true }));
  }
}

for (const type of GESTURES) document.addEventListener(type, note, true);
// A finger's first gesture may be a long press.
if (matchMedia("(hover: none)").matches) load();
else setTimeout(load, REST_MS);
