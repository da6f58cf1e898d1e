// Finds who is mentioned in a text, by the same rule as `messaging/stream/mentions.py`, which
// decides in the end.
import { foldCase } from "../shared/folding.js";

/** What NFKC makes an @ of, as input methods of East Asia type it. */
const AT = "[@＠﹫]";
const HAS_AT = new RegExp(AT);
/** An @ and what is typed behind it, up to the caret. */
const TYPED = new RegExp(`(?<character>.?)${AT}(?<letters>[^\\s@＠﹫]*)$`, "su");
/** What NFKC may compose with the character before it. */
const JOINS = /^[\p{M}\u1160-\u11ff\ud7b0-\ud7ff]/u;
const ASCII_ALPHANUMERIC = /[A-Za-z0-9]$/;

/**
 * One character of a normalised text, and the span in the text that it comes from.
 * @typedef {{character: string, folded: string, start: number, end: number}} Letter
 */

/**
 * @param {string} text
 * @returns {Letter[]} with offsets in characters
 */
function normalise(text) {
  const characters = [...text];
  const letters = [];
  let start = 0;
  for (let end = 1; end <= characters.length; end += 1) {
    if (end < characters.length && JOINS.test((characters[end] ?? "").normalize("NFKC"))) continue;
    for (const character of characters.slice(start, end).join("").normalize("NFKC")) {
      letters.push({ character, folded: foldCase(character), start, end });
    }
    start = end;
  }
  return letters;
}

/** @param {string} handle */
const foldHandle = (handle) =>
  normalise(handle)
    .map((letter) => letter.folded)
    .join("");

/** @param {Letter | undefined} letter */
const isWord = (letter) => letter !== undefined && ASCII_ALPHANUMERIC.test(letter.character);

/**
 * @param {Letter[]} letters
 * @param {number} index of the @
 * @param {Map<string, string>} known the handles, by their folded form
 * @returns {{handle: string, behind: number} | null} the longest handle, and the index behind it
 */
function matchHandle(letters, index, known) {
  if (letters[index]?.character !== "@" || isWord(letters[index - 1])) return null;
  const longest = Math.max(...[...known.keys()].map((folded) => folded.length));
  let typed = "";
  let found = null;
  for (let behind = index + 2; behind <= letters.length; behind += 1) {
    typed += letters[behind - 1]?.folded;
    if (typed.length > longest) break;
    const handle = known.get(typed);
    if (handle !== undefined && !isWord(letters[behind])) found = { handle, behind };
  }
  return found;
}

/**
 * Returns whether a text may mention somebody: it has an @ in any form.
 * @param {string} text
 */
export const hasAt = (text) => HAS_AT.test(text);

/**
 * @param {string} body
 * @param {string[]} handles those of the other members
 * @param {string} me the author's handle: naming oneself is no mention
 * @returns {{start: number, end: number, handle: string}[]} offsets in characters, the @ included
 */
export function findMentions(body, handles, me) {
  if (!hasAt(body)) return [];
  const known = new Map([...handles, me].map((handle) => [foldHandle(handle), handle]));
  const letters = normalise(body);
  const found = [];
  for (let index = 0; index < letters.length; index += 1) {
    const match = matchHandle(letters, index, known);
    if (!match) continue;
    const start = letters[index]?.start ?? 0;
    const end = letters[match.behind - 1]?.end ?? 0;
    if (match.handle !== me) found.push({ start, end, handle: match.handle });
    index = match.behind - 1;
  }
  return found;
}

/**
 * Finds the @ that is being typed before the caret, and the letters behind it.
 * @param {string} text up to the caret
 * @returns {{letters: string, length: number} | null} with the length of both in UTF-16 units
 */
export function typedMention(text) {
  const match = TYPED.exec(text);
  const { character = "", letters = "" } = match?.groups ?? {};
  if (!match || ASCII_ALPHANUMERIC.test(character.normalize("NFKC"))) return null;
  return { letters, length: letters.length + 1 };
}
