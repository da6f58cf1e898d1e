// Requests of our own, beside those that htmx makes.
import { csrfToken } from "./csrf.js";

/**
 * Fetches a piece of a page.
 * @param {string} address
 * @param {RequestInit} [options]
 * @returns {Promise<string | null>} null if the server cannot be reached, says no, or sends us
 *   elsewhere, as to the sign-in page
 */
export async function fetchHtml(address, options) {
  try {
    const answer = await fetch(address, options);
    return answer.ok && !answer.redirected ? await answer.text() : null;
  } catch {
    return null;
  }
}

/**
 * Posts fields with the token that Django asks for. Rejects if the server cannot be reached.
 * @param {string} address
 * @param {Record<string, string>} [fields]
 * @param {RequestInit} [options]
 */
export function post(address, fields = {}, options = {}) {
  const headers = { "X-CSRFToken": csrfToken() };
  const body = new URLSearchParams(fields);
  return fetch(address, { method: "POST", headers, body, ...options });
}
