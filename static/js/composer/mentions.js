// Who is mentioned in a text: the same rule as `messaging/stream/mentions.py`, which has the last word.

const CALL = /(?<![\p{L}\p{N}_@.+-])@([\p{L}\p{N}_.@+-]+)/gu;
const GOES_ON = /^[\p{L}\p{N}_]/u;

/**
 * Equal for letters that differ in case alone, as Python's casefold has it.
 * @param {string} text
 */
export function foldCase(text) {
  return [...text]
    .map((letter) => (letter === "ı" ? letter : letter.toLowerCase().toUpperCase().toLowerCase()))
    .join("");
}

/**
 * For narrowing: without accents as well.
 * @param {string} text
 */
export const fold = (text) => foldCase(text).normalize("NFKD").replace(/\p{M}/gu, "");

/**
 * @param {string} body
 * @param {string[]} handles those of the other members
 * @param {string} me
 * @returns {{start: number, end: number, handle: string}[]} places in characters, the @ included
 */
export function findMentions(body, handles, me) {
  const known = new Map([...handles, me].map((handle) => [foldCase(handle), handle]));
  const found = [];
  for (const call of body.matchAll(CALL)) {
    const run = [...(call[1] ?? "")];
    for (let length = run.length; length > 0; length -= 1) {
      const handle = known.get(foldCase(run.slice(0, length).join("")));
      if (handle === undefined || GOES_ON.test(run.slice(length).join(""))) continue;
      const start = [...body.slice(0, call.index)].length;
      if (handle !== me) found.push({ start, end: start + 1 + length, handle });
      break;
    }
  }
  return found;
}
