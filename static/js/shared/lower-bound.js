/**
 * Finds by bisection where a sorted array turns.
 * @template Item
 * @param {readonly Item[]} items
 * @param {(item: Item) => boolean} isBefore true for some items at the start, and for no later one
 * @returns {number} the index of the first item for which it is false, or the length
 */
export function lowerBound(items, isBefore) {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(/** @type {Item} */ (items[middle]))) low = middle + 1;
    else high = middle;
  }
  return low;
}
