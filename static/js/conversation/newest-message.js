// The newest message that the open conversation shows. It need not be the last one: a late text
// stands above others.

/**
 * @param {Element} message
 * @returns {number}
 */
export const messageId = (message) => Number(message.id.slice("message-".length));

/** @returns {number} the highest id of those shown; 0 if there are none */
export function newestMessageId() {
  return Math.max(0, ...[...document.querySelectorAll(".log > .message")].map(messageId));
}
