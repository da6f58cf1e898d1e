// What the open history shows. The last one to come to us may stand above others: it came late.

/**
 * @param {Element} message
 * @returns {number}
 */
export const idOf = (message) => Number(message.id.slice("message-".length));

/** @returns {number} the message that came to us last, of those that stand here; 0 without any */
export function newestShown() {
  return Math.max(0, ...[...document.querySelectorAll(".log > .message")].map(idOf));
}
