// How carriers cut a text into segments, each of which is paid for: the same as
// messaging/stream/segments.py says, and the quiet word about it in the composer.
import { isInternal } from "./internal-mode.js";

const GSM_7 = new Set(
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà",
);
/** These take two septets, the first of which only says that the second is one of them. */
const EXTENSION = new Set("^{}[]~\\|€\f");
/** So few places left in the first segment are worth a word. */
const NEAR = 20;
/** What is taken for its plain sister, or not seen at all. */
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
 * `room`: places left in the last one; a place is a septet, or in Unicode a UTF-16 unit.
 * `forcedBy`: the first character that GSM-7 lacks, empty if there is none.
 * @typedef {{count: number, room: number, places: number, forcedBy: string}} Segments
 */

/**
 * What takes two places stands in one segment, so that a place may stay empty at its end.
 * @param {number[]} widths
 * @param {number} alone
 * @param {number} part
 */
function cut(widths, alone, part) {
  const total = widths.reduce((sum, width) => sum + width, 0);
  if (total <= alone) return { count: total ? 1 : 0, room: alone - total, places: alone };
  let count = 1;
  let room = part;
  for (const width of widths) {
    if (width > room) {
      count += 1;
      room = part;
    }
    room -= width;
  }
  return { count, room, places: part * count };
}

/**
 * An empty text has no segment.
 * @param {string} text
 * @returns {Segments}
 */
export function segmentsOf(text) {
  const all = [...text];
  const forcedBy = all.find((one) => !GSM_7.has(one) && !EXTENSION.has(one)) ?? "";
  if (forcedBy) return { ...cut(all.map((one) => one.length), 70, 67), forcedBy };
  return { ...cut(all.map((one) => (EXTENSION.has(one) ? 2 : 1)), 160, 153), forcedBy };
}

/** @param {string} character */
function nameOf(character) {
  const known = NAMES.get(character);
  if (known || !INVISIBLE.test(character)) return known ?? character;
  const code = character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0");
  return `invisible U+${code}`;
}

/** @param {Segments} of */
export function wordsOf({ count, room, places, forcedBy }) {
  const name = forcedBy && nameOf(forcedBy);
  return {
    isWorthSaying: count > 1 || (count === 1 && (Boolean(forcedBy) || room <= NEAR)),
    size: `${places - room}/${places} · ${count} segment${count === 1 ? "" : "s"}`,
    reason: forcedBy && `${name} makes it Unicode`,
    explanation: forcedBy
      ? `A Unicode text holds 70 characters a segment instead of 160. Here it is because of ${name}.`
      : "A text holds 160 characters, or 153 in each segment of a longer one.",
  };
}

/**
 * Says it, where there is something worth saying and somebody outside to whom it goes.
 * @param {HTMLFormElement} of
 * @param {string} text what stands in the box
 */
export function showSegments(of, text) {
  const size = of.querySelector("[data-segments]");
  const reason = of.querySelector("[data-unicode]");
  if (!(size instanceof HTMLElement) || !reason) return;
  const words = wordsOf(segmentsOf(text));
  const isSaid = words.isWorthSaying && !isInternal(of);
  size.textContent = isSaid ? words.size : "";
  reason.textContent = isSaid ? words.reason : "";
  if (isSaid) size.title = words.explanation;
  else size.removeAttribute("title");
}

document.addEventListener("partyline:mode", () => {
  const form = document.querySelector("#composer");
  const box = form?.querySelector("textarea");
  if (form instanceof HTMLFormElement && box) showSegments(form, box.value);
});
