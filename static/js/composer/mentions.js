// Finds who is mentioned in a text, by the same rule as `messaging/stream/mentions.py`, which
// decides in the end.

const MENTION = /(?<![\p{L}\p{N}_@.+-])@([\p{L}\p{N}_.@+-]+)/gu;
const CONTINUES = /^[\p{L}\p{N}_]/u;

/**
 * Makes texts equal that differ in case alone, as Python's casefold does.
 * @param {string} text
 */
export function foldCase(text) {
  return [...text]
    .map((letter) => (letter === "ı" ? letter : letter.toLowerCase().toUpperCase().toLowerCase()))
    .join("");
}

/**
 * Folds case and accents, so that what an agent types finds a name.
 * @param {string} text
 */
export const fold = (text) => foldCase(text).normalize("NFKD").replace(/\p{M}/gu, "");

/**
 * @param {string} body
 * @param {string[]} handles those of the other members
 * @param {string} me the author's handle: naming oneself is no mention
 * @returns {{start: number, end: number, handle: string}[]} offsets in characters, the @ included
 */
export function findMentions(body, handles, me) {
  const known = new Map([...handles, me].map((handle) => [foldCase(handle), handle]));
  const found = [];
  for (const match of body.matchAll(MENTION)) {
    const letters = [...(match[1] ?? "")];
    // The longest handle wins: "@ben.k" is not "@ben".
    for (let length = letters.length; length > 0; length -= 1) {
      const handle = known.get(foldCase(letters.slice(0, length).join("")));
      if (handle === undefined || CONTINUES.test(letters.slice(length).join(""))) continue;
      const start = [...body.slice(0, match.index)].length;
      if (handle !== me) found.push({ start, end: start + 1 + length, handle });
      break;
    }
  }
  return found;
}
