// What every request says of the page that makes it, and requests of our own, beside htmx's.
import { conventions } from "./conventions.js";
import { csrfToken } from "./csrf.js";

/** By which clock the agent reads "tomorrow": the server may still know that of another device. */
const CLOCK = { "Time-Zone": conventions.timeZone };

/** With the token that Django asks for. */
export const postHeaders = () => ({ "X-CSRFToken": csrfToken(), ...CLOCK });

document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  Object.assign(ctx.request.headers, ctx.request.method === "GET" ? CLOCK : postHeaders());
});

/**
 * Fetches a piece of a page.
 * @param {string} address
 * @param {RequestInit & { headers?: Record<string, string> }} [options]
 * @returns {Promise<string | null>} null if the server cannot be reached, says no, or sends us
 *   elsewhere, as to the sign-in page
 */
export async function fetchHtml(address, options = {}) {
  try {
    const headers = { ...CLOCK, ...options.headers };
    const answer = await fetch(address, { ...options, headers });
    return answer.ok && !answer.redirected ? await answer.text() : null;
  } catch {
    return null;
  }
}

/**
 * Posts fields. Rejects if the server cannot be reached.
 * @param {string} address
 * @param {Record<string, string>} [fields]
 * @param {RequestInit} [options]
 */
export function post(address, fields = {}, options = {}) {
  const body = new URLSearchParams(fields);
  return fetch(address, { method: "POST", headers: postHeaders(), body, ...options });
}
