// Values in a text that were filled in for somebody else.

/**
 * @param {string} one
 * @param {string} other
 */
const byLength = (one, other) => other.length - one.length || (one < other ? -1 : 1);

/**
 * Matches a value as words of its own, where its script tells words apart.
 * @param {string} value
 */
function pattern(value) {
  const whole = value.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
  const isCased = value.toLowerCase() !== value.toUpperCase();
  return new RegExp(isCased ? `(?<![\\p{L}\\p{N}_])${whole}(?![\\p{L}\\p{N}_])` : whole, "gu");
}

/**
 * Finds the values that still stand in a text and are none of the current ones: the same as
 * `messaging/replies/filled.py` finds, which decides in the end.
 * @param {string} text
 * @param {string[]} filled
 * @param {string[]} current
 */
export function findStale(text, filled, current) {
  const old = [...new Set(filled)].filter((value) => value && !current.includes(value));
  const found = [];
  for (const value of old.sort(byLength)) {
    let rest = text;
    for (const other of current) if (other.includes(value)) rest = rest.replace(pattern(other), " ");
    if (!pattern(value).test(rest)) continue;
    found.push(value);
    text = text.replace(pattern(value), " ");
  }
  return found;
}
