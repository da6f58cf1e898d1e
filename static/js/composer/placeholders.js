// The placeholders of saved replies: the same as `messaging/replies/placeholders.py` finds, which
// decides in the end.

/** Without the flag u, so that letters of other scripts are never taken for these. */
const PLACEHOLDER = /\{(contact|first name|me|inbox|number)\}/gi;

/**
 * Finds the placeholders that stand in a text, as they are written, each once.
 * @param {string} text
 * @returns {string[]}
 */
export const findUnfilled = (text) => [...new Set(text.match(PLACEHOLDER) ?? [])];

/**
 * Splits a text at its placeholders.
 * @param {string} text
 * @returns {{text: string, isPlaceholder: boolean}[]}
 */
export function splitAtPlaceholders(text) {
  const parts = [];
  let end = 0;
  for (const found of text.matchAll(PLACEHOLDER)) {
    if (found.index > end) parts.push({ text: text.slice(end, found.index), isPlaceholder: false });
    parts.push({ text: found[0], isPlaceholder: true });
    end = found.index + found[0].length;
  }
  if (end < text.length) parts.push({ text: text.slice(end), isPlaceholder: false });
  return parts;
}

/**
 * Puts values in the place of placeholders. One without a value stays as it is written.
 * @param {string} text
 * @param {Record<string, string>} values by the placeholders' names
 */
export const fillPlaceholders = (text, values) =>
  text.replace(PLACEHOLDER, (written, name) => values[name.toLowerCase()] || written);

/**
 * Draws a text with its placeholders marked.
 * @param {string} text
 * @returns {(Node | string)[]}
 */
export const drawPlaceholders = (text) =>
  splitAtPlaceholders(text).map(({ text: words, isPlaceholder }) => {
    if (!isPlaceholder) return words;
    const mark = document.createElement("mark");
    mark.className = "unfilled";
    mark.textContent = words;
    return mark;
  });
