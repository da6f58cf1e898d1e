// Finds saved replies by some letters of their names and words.
import { foldText } from "../shared/folding.js";

/**
 * @template {{name: string, body: string}} Reply
 * @param {Reply[]} replies
 * @param {string} letters
 * @returns {Reply[]}
 */
export function narrowReplies(replies, letters) {
  const words = foldText(letters).split(/\s+/u).filter(Boolean);
  if (!words.length) return replies;
  return replies
    .map((reply) => ({ reply, rank: rankReply(reply, words) }))
    .filter(({ rank }) => rank < UNFOUND)
    .sort((one, other) => one.rank - other.rank)
    .map(({ reply }) => reply);
}

const UNFOUND = 3;

/** @type {WeakMap<object, {name: string, body: string}>} */
const folded = new WeakMap();

/**
 * @param {{name: string, body: string}} reply
 * @param {string[]} words folded
 */
function rankReply(reply, words) {
  const { name, body } = folded.get(reply) ?? { name: foldText(reply.name), body: foldText(reply.body) };
  folded.set(reply, { name, body });
  const ranks = words.map((word) => {
    if (name.startsWith(word)) return 0;
    if (findWordStart(name, word) >= 0) return 1;
    return findWordStart(body, word) < 0 ? UNFOUND : 2;
  });
  return Math.max(...ranks);
}

const ENDS_IN_WORD = /[\p{L}\p{N}\p{M}]$/u;

/**
 * Finds letters at the beginning of a word.
 * @param {string} text
 * @param {string} letters
 * @returns {number} -1 if no word begins so
 */
function findWordStart(text, letters) {
  let at = text.indexOf(letters);
  while (at > 0 && ENDS_IN_WORD.test(text.slice(Math.max(0, at - 2), at))) {
    at = text.indexOf(letters, at + 1);
  }
  return at;
}

/**
 * Finds the part of a name that the letters mean.
 * @param {string} name
 * @param {string} letters
 * @returns {[number, number]} its start and end; equal if they are not in the name
 */
export function findInName(name, letters) {
  const [wanted = ""] = foldText(letters).trim().split(/\s+/u);
  const start = wanted ? findWordStart(foldText(name), wanted) : -1;
  if (start < 0) return [0, 0];
  const ends = [...name].map((_, index, all) => all.slice(0, index + 1).join("").length);
  const lengthAt = (/** @type {number} */ end) => foldText(name.slice(0, end)).length;
  const from = start === 0 ? 0 : (ends.find((end) => lengthAt(end) >= start) ?? 0);
  const to = ends.find((end) => lengthAt(end) >= start + wanted.length) ?? name.length;
  return [from, to];
}
