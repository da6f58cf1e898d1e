// Placeholders without a value: marked in the box by a layer behind it, which the box's own text
// covers, and named in a line below it.
import { closestTarget } from "../shared/dom.js";
import { listen } from "../shared/events.js";
import { textBox } from "../shared/page-elements.js";
import { rememberFilled } from "./filled-replies.js";
import { insertText } from "./inserted-text.js";
import { isInternal } from "./internal-mode.js";
import { drawPlaceholders, fillPlaceholders, findUnfilled } from "./placeholders.js";
import { BOXES, repliesAddress } from "./reply-forms.js";
import { readOffers } from "./saved-replies.js";

/** Placeholders that get a value once the contact has a name. */
const NAMES = ["{contact}", "{first name}"];

/** What decides where the letters of a box stand. */
const METRICS = /** @type {const} */ ([
  "direction", "unicodeBidi", "fontFamily", "fontFeatureSettings", "fontKerning", "fontSize",
  "fontStretch", "fontStyle", "fontVariant", "fontWeight", "letterSpacing", "lineHeight",
  "paddingTop", "paddingRight", "paddingBottom", "paddingLeft", "tabSize", "textAlign",
  "textIndent", "textRendering", "wordBreak", "wordSpacing",
]);

/** Returns the boxes of the page in which replies can be inserted. */
const boxes = () => /** @type {HTMLTextAreaElement[]} */ ([...document.querySelectorAll(BOXES)]);

/**
 * @param {HTMLTextAreaElement} box
 * @returns {HTMLElement | null}
 */
function mirrorOf(box) {
  const mirror = box.previousElementSibling;
  return mirror instanceof HTMLElement && mirror.matches(".box-mirror") ? mirror : null;
}

/**
 * Puts the layer exactly behind the text of its box.
 * @param {HTMLTextAreaElement} box
 */
function fitMirror(box) {
  const mirror = mirrorOf(box);
  if (!mirror) return;
  const style = getComputedStyle(box);
  for (const name of METRICS) mirror.style[name] = style[name];
  // Without the borders, and without a scroll bar on either side.
  mirror.style.top = `${box.offsetTop + box.clientTop}px`;
  mirror.style.left = `${box.offsetLeft + box.clientLeft}px`;
  mirror.style.width = `${box.clientWidth}px`;
  mirror.style.height = `${box.clientHeight}px`;
  mirror.scrollTop = box.scrollTop;
}

const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) fitMirror(/** @type {HTMLTextAreaElement} */ (target));
});

/** @param {HTMLTextAreaElement} box */
function drawMirror(box) {
  let mirror = mirrorOf(box);
  if (!mirror) {
    mirror = document.createElement("div");
    mirror.className = "box-mirror";
    mirror.setAttribute("aria-hidden", "true");
    box.before(mirror);
    sizes.observe(box);
  }
  // An empty last line has no height of its own.
  mirror.replaceChildren(...drawPlaceholders(box.value), "\u200b");
  fitMirror(box);
}

/** @param {HTMLTextAreaElement} box */
function removeMirror(box) {
  mirrorOf(box)?.remove();
  sizes.unobserve(box);
}

/**
 * Finds the placeholders that the form's text would leave with.
 * @param {HTMLFormElement} form
 */
function findAsked(form) {
  const goesToTeam = form.id === "composer" && isInternal(form);
  return goesToTeam ? [] : findUnfilled(textBox(form).value);
}

/** @param {string} words to be set off */
function drawBold(words) {
  const bold = document.createElement("b");
  bold.textContent = words;
  return bold;
}

/**
 * Joins placeholders for a sentence.
 * @param {string[]} names
 */
const joinNames = (names) =>
  names.flatMap((name, index) => {
    const joint = index === names.length - 1 ? " and " : ", ";
    return index ? [joint, drawBold(name)] : [drawBold(name)];
  });

/**
 * @param {HTMLFormElement} form
 * @param {string[]} empty placeholders without a value
 * @param {string[]} fillable those that have one by now
 */
function describe(form, empty, fillable) {
  const names = empty.length ? empty : fillable;
  const verbs = names.length === 1 ? ["has", "is"] : ["have", "are"];
  const what = empty.length ? `${verbs[0]} no value here.` : `${verbs[1]} not filled in.`;
  const more = document.createElement("span");
  more.className = "unfilled-more";
  if (form.id === "change-later") more.append("You are asked before it leaves.");
  else more.append(drawBold("Send"), " will ask before it leaves.");
  return [...joinNames(names), ` ${what} `, more];
}

/**
 * @param {HTMLFormElement} form
 * @param {string} selector
 * @param {boolean} isShown
 */
function toggle(form, selector, isShown) {
  form.querySelector(`[data-unfilled]${selector}`)?.toggleAttribute("hidden", !isShown);
}

/**
 * @param {HTMLFormElement} form
 * @param {string[]} asked
 * @param {Record<string, string>} values
 */
function showNote(form, asked, values) {
  const hasValue = (/** @type {string} */ written) => fillPlaceholders(written, values) !== written;
  const empty = asked.filter((written) => !hasValue(written));
  const fillable = asked.filter(hasValue);
  const words = form.querySelector("[data-unfilled-words]");
  const sentence = asked.length ? describe(form, empty, fillable) : [];
  const before = words?.textContent;
  const after = sentence.map((part) => (typeof part === "string" ? part : part.textContent)).join("");
  // Said again only when something else is to be said.
  if (before !== after) words?.replaceChildren(...sentence);
  toggle(form, " [data-fill-in]", fillable.length > 0);
  const link = form.querySelector("[data-add-name]");
  if (link) link.textContent = values.contact ? "Change the name" : "Add a name";
  toggle(form, " [data-add-name]", empty.some((written) => NAMES.includes(written.toLowerCase())));
  toggle(form, "", asked.length > 0);
}

/**
 * Marks what has no value in the box of a form, as it is now.
 * @param {HTMLFormElement} form
 */
async function markUnfilled(form) {
  const box = textBox(form);
  const asked = findAsked(form);
  if (!asked.length) {
    removeMirror(box);
    showNote(form, [], {});
    return;
  }
  drawMirror(box);
  const address = repliesAddress(form);
  const offers = address ? await readOffers(address) : null;
  if (form.isConnected) showNote(form, findAsked(form), offers?.values ?? {});
  fitMirror(box);
}

/** @param {HTMLFormElement} form */
async function fillIn(form) {
  const offers = await readOffers(repliesAddress(form));
  const box = textBox(form);
  if (offers) rememberFilled(form, box.value, offers.values);
  const filled = fillPlaceholders(box.value, offers?.values ?? {});
  insertText(box, filled, { start: 0, end: box.value.length });
}

function markAll() {
  for (const box of boxes()) if (box.form) markUnfilled(box.form);
}

document.addEventListener("input", ({ target }) => {
  if (!(target instanceof HTMLTextAreaElement) || !target.matches(BOXES) || !target.form) return;
  markUnfilled(target.form);
  // What was asked was about another text: a yes to it would let something leave unseen.
  document.querySelector(".guard:has([name=has_read_placeholders], [name=has_read_values])")?.remove();
});

// The recipient of a first text decides what a placeholder stands for.
document.addEventListener("change", (event) => {
  if (closestTarget(event, "#start-to, #start-from")) markAll();
});

document.addEventListener("focusin", ({ target }) => {
  if (target instanceof Element && target.matches("#start-body")) markAll();
});

document.addEventListener("scroll", ({ target }) => {
  if (!(target instanceof HTMLTextAreaElement)) return;
  const mirror = mirrorOf(target);
  if (mirror) mirror.scrollTop = target.scrollTop;
}, true);

document.addEventListener("click", (event) => {
  const form = closestTarget(event, "[data-fill-in]")?.closest("form");
  if (form) fillIn(form);
});

for (const change of /** @type {const} */ ([
  "viewChanged", "draftReplaced", "modeChanged", "messageSent",
])) {
  listen(change, markAll);
}
markAll();
