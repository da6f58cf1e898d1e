// The segments into which carriers cut a text, each of which is paid for: counted as by
// `messaging/stream/segments.py`, and shown under the box.
import { isInternal } from "./internal-mode.js";

const GSM_7 = new Set(
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà",
);
/** These take two septets each: an escape, and the character. */
const EXTENSION = new Set("^{}[]~\\|€\f");
/** With this little room left in the first segment it is shown. */
const NEAR = 20;
/** Characters that are easily overlooked, or taken for a plain one. */
const NAMES = new Map([
  ["\t", "a tab"],
  ["`", "backtick `"],
  ["\u00a0", "a no-break space"],
  ["\u200b", "an invisible space"],
  ["\u2013", "long dash \u2013"],
  ["\u2014", "long dash \u2014"],
  ["\u2018", "curly quote \u2018"],
  ["\u2019", "curly quote \u2019"],
  ["\u201c", "curly quote \u201c"],
  ["\u201d", "curly quote \u201d"],
  ["\u201e", "curly quote \u201e"],
  ["\u2026", "ellipsis \u2026"],
  ["\u202f", "a no-break space"],
]);
const INVISIBLE = /^[\p{Z}\p{M}\p{Cc}\p{Cf}]$/u;

/**
 * Sizes are in septets, or in UTF-16 units where the text is Unicode.
 * @typedef {object} Segments
 * @property {number} count 0 for an empty text
 * @property {number} room what is left in the last one
 * @property {number} capacity what all of them hold together
 * @property {string} forcedBy the first character that GSM-7 lacks; empty if there is none
 */

/**
 * Cuts a text so that no character is split: a segment may end before it is full.
 * @param {number[]} widths of the characters
 * @param {number} single what a text of one segment holds
 * @param {number} part what each segment of a longer text holds
 */
function cutText(widths, single, part) {
  const total = widths.reduce((sum, width) => sum + width, 0);
  if (total <= single) return { count: total ? 1 : 0, room: single - total, capacity: single };
  let count = 1;
  let room = part;
  for (const width of widths) {
    if (width > room) {
      count += 1;
      room = part;
    }
    room -= width;
  }
  return { count, room, capacity: part * count };
}

/**
 * @param {string} text
 * @returns {Segments}
 */
export function countSegments(text) {
  const all = [...text];
  const forcedBy = all.find((one) => !GSM_7.has(one) && !EXTENSION.has(one)) ?? "";
  if (forcedBy) return { ...cutText(all.map((one) => one.length), 70, 67), forcedBy };
  return { ...cutText(all.map((one) => (EXTENSION.has(one) ? 2 : 1)), 160, 153), forcedBy };
}

/** @param {string} character */
function nameCharacter(character) {
  const known = NAMES.get(character);
  if (known || !INVISIBLE.test(character)) return known ?? character;
  const code = character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0");
  return `invisible U+${code}`;
}

/** @param {Segments} segments */
export function describeSegments({ count, room, capacity, forcedBy }) {
  const name = forcedBy && nameCharacter(forcedBy);
  return {
    isWorthShowing: count > 1 || (count === 1 && (Boolean(forcedBy) || room <= NEAR)),
    size: `${capacity - room}/${capacity} · ${count} segment${count === 1 ? "" : "s"}`,
    // What stands before "characters"; the explanation names the character in full.
    reason: forcedBy && `${INVISIBLE.test(forcedBy) ? name : forcedBy} shortens segments to 70`,
    explanation: forcedBy
      ? `With ${name}, a segment holds 70 characters instead of 160.`
      : "A text holds 160 characters, or 153 in each segment of a longer one.",
  };
}

/**
 * Shows the segments of a text to a customer, where they are worth showing.
 * @param {HTMLFormElement} form
 * @param {string} text
 */
export function showSegments(form, text) {
  const size = form.querySelector("[data-segments]");
  const reason = form.querySelector("[data-unicode]");
  if (!(size instanceof HTMLElement) || !reason) return;
  const words = describeSegments(countSegments(text));
  const isShown = words.isWorthShowing && !isInternal(form);
  size.textContent = isShown ? words.size : "";
  reason.textContent = isShown ? words.reason : "";
  if (isShown) size.title = words.explanation;
  else size.removeAttribute("title");
}
