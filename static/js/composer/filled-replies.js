// What replies put into a first text from their placeholders: as long as nobody has edited it, it is
// filled in anew for another recipient. What else it says of an earlier one is named below the box.
import { closestTarget } from "../shared/dom.js";
import { textBox } from "../shared/page-elements.js";
import { fillPlaceholders, findUnfilled } from "./placeholders.js";
import { repliesAddress } from "./reply-forms.js";
import { readOffers } from "./saved-replies.js";
import { findStale } from "./stale-values.js";

/**
 * Words with placeholders that were put into the text, and the values that they have there.
 * @typedef {{written: string, values: Record<string, string>}} Filled
 */

/** So many are kept. */
const MOST = 20;
/** Milliseconds for which sending waits for the values of another recipient. */
const PATIENCE_MS = 2_000;

/** The address of the replies whose values a form's text has. @type {WeakMap<HTMLFormElement, string>} */
const filledFor = new WeakMap();

/** @returns {HTMLFormElement | null} */
const startForm = () => document.querySelector("#start");

/**
 * Returns where the form keeps what was filled in: the server asks about it in the end.
 * @param {HTMLFormElement} form
 * @returns {HTMLInputElement | null} nothing for texts whose recipient can't change
 */
const filledField = (form) => form.querySelector("input[name=filled]");

/**
 * @param {HTMLFormElement} form
 * @returns {Filled[]}
 */
function readFilled(form) {
  const kept = filledField(form)?.value;
  return kept ? JSON.parse(kept) : [];
}

/**
 * @param {HTMLFormElement} form
 * @param {Filled[]} filled
 */
function keepFilled(form, filled) {
  const field = filledField(form);
  if (field) field.value = filled.length ? JSON.stringify(filled.slice(-MOST)) : "";
}

/**
 * Returns the values that the placeholders in the words have.
 * @param {string} written
 * @param {Record<string, string>} values
 */
function pickValues(written, values) {
  const names = findUnfilled(written).map((found) => found.slice(1, -1).toLowerCase());
  const used = Object.entries(values).filter(([name, value]) => value && names.includes(name));
  return Object.fromEntries(used);
}

/**
 * Notes what is put into the text of a form whose recipient may change.
 * @param {HTMLFormElement} form
 * @param {string} written with its placeholders
 * @param {Record<string, string>} values
 */
export function rememberFilled(form, written, values) {
  if (!filledField(form) || !findUnfilled(written).length) return;
  filledFor.set(form, repliesAddress(form));
  keepFilled(form, [...readFilled(form), { written, values: pickValues(written, values) }]);
}

/** @param {string} words to be set off */
function drawBold(words) {
  const bold = document.createElement("b");
  bold.dir = "auto";
  bold.textContent = words;
  return bold;
}

/**
 * @param {string[]} stale values of an earlier recipient
 * @returns {(Node | string)[]}
 */
function describe(stale) {
  const named = stale.flatMap((value, index) => [index ? ", " : "", drawBold(value)]);
  const more = document.createElement("span");
  more.className = "unfilled-more";
  more.append(drawBold("Send"), " will ask before it leaves.");
  return ["The text still says ", ...named, " from before. ", more];
}

/**
 * Says below the box what is of an earlier recipient.
 * @param {HTMLFormElement} form
 * @param {Record<string, string>} values
 */
function showStale(form, values) {
  const note = form.querySelector("[data-still]");
  const words = note?.querySelector("span");
  if (!note || !words) return;
  const filled = readFilled(form).flatMap((one) => Object.values(one.values));
  const stale = findStale(textBox(form).value, filled, Object.values(values));
  const sentence = stale.length ? describe(stale) : [];
  const after = sentence.map((part) => (typeof part === "string" ? part : part.textContent)).join("");
  // Said again only when something else is to be said.
  if (words.textContent !== after) words.replaceChildren(...sentence);
  note.toggleAttribute("hidden", !stale.length);
}

/**
 * Fills in anew what nobody has edited, for the recipient that the form has now.
 * @param {HTMLFormElement} form
 */
async function refill(form) {
  const address = repliesAddress(form);
  if (!address || !readFilled(form).length) return;
  const offers = await readOffers(address);
  // Meanwhile it may have got another recipient.
  if (!offers || !form.isConnected || repliesAddress(form) !== address) return;
  filledFor.set(form, address);
  const box = textBox(form);
  const before = box.value;
  const filled = readFilled(form).map((one) => {
    const old = fillPlaceholders(one.written, one.values);
    const at = box.value.indexOf(old);
    if (at < 0) return one;
    const fresh = fillPlaceholders(one.written, offers.values);
    if (fresh !== old) box.setRangeText(fresh, at, at + old.length, "preserve");
    return { written: one.written, values: pickValues(one.written, offers.values) };
  });
  keepFilled(form, filled);
  if (box.value !== before) {
    box.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertReplacementText" }));
  }
  showStale(form, offers.values);
}

document.addEventListener("change", (event) => {
  const form = startForm();
  if (!form || !closestTarget(event, "#start-to, #start-from")) return;
  // What was asked was about another recipient.
  form.querySelector(".guard")?.remove();
  refill(form);
});

document.addEventListener("input", async ({ target }) => {
  const form = startForm();
  if (!form || !(target instanceof HTMLTextAreaElement) || target.form !== form) return;
  if (!target.value) keepFilled(form, []);
  const address = filledFor.get(form);
  const offers = address && readFilled(form).length ? await readOffers(address) : null;
  showStale(form, offers?.values ?? {});
});

// Whoever goes from *To* straight to Send means the new recipient.
document.addEventListener("submit", async (event) => {
  const form = startForm();
  if (!form || event.target !== form || !readFilled(form).length) return;
  const address = repliesAddress(form);
  if (!address || filledFor.get(form) === address) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  await Promise.race([refill(form), new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
  filledFor.set(form, address);
  // What it would have said yes to may have gone.
  const { submitter } = event;
  form.requestSubmit(submitter && form.contains(submitter) ? submitter : null);
}, true);

const early = startForm();
if (early) refill(early);
