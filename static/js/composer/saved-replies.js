// The saved replies that may be inserted in a conversation, read once for it.
import { listen } from "../shared/events.js";
import { narrowReplies } from "./narrowed-replies.js";

/** Milliseconds for which what was read is believed. */
const FRESH_MS = 5_000;

/**
 * @typedef {object} SavedReply
 * @property {number} id
 * @property {string} name
 * @property {string} body filled for the conversation, as far as its placeholders have values
 * @property {string} written the same with its placeholders
 * @property {Record<string, string>} values those of its placeholders that have one
 * @property {string} owner whose it is, in words
 * @property {number} files how many belong to it
 * @property {string} used the address that is told of a use
 */

/**
 * @typedef {object} Offers
 * @property {SavedReply[]} replies the most used first
 * @property {Record<string, string>} values of the placeholders, by their names
 * @property {boolean} has_more whether the server has others, and has to be asked for them
 * @property {string} manage the address of the page where they are changed
 */

/** @type {{url: string, at: number, offers: Offers} | null} */
let known = null;

/** @type {Map<string, Promise<Offers | null>>} by the address that is being asked */
const reading = new Map();

/**
 * @param {string} url
 * @returns {Promise<Offers | null>} null if the server cannot be reached
 */
async function fetchOffers(url) {
  try {
    const answer = await fetch(url, { headers: { Accept: "application/json" } });
    return answer.ok && !answer.redirected ? await answer.json() : null;
  } catch {
    return null;
  }
}

/** @param {string} url */
async function readAnew(url) {
  const asked = reading.get(url) ?? fetchOffers(url).finally(() => reading.delete(url));
  reading.set(url, asked);
  const offers = await asked;
  if (offers) known = { url, at: Date.now(), offers };
  return offers;
}

/**
 * Returns what may be inserted, as it was last read, and reads it anew if that was long ago.
 * @param {string} url
 * @param {() => void} [changed] called if it has changed since
 */
export async function readOffers(url, changed) {
  if (known?.url !== url) return readAnew(url);
  const { at, offers } = known;
  if (changed && Date.now() - at > FRESH_MS) {
    readAnew(url).then((fresh) => {
      if (fresh && JSON.stringify(fresh) !== JSON.stringify(offers)) changed();
    });
  }
  return offers;
}

/** Has the replies read anew when they are next shown: one was used, and their order changes. */
export function expireOffers() {
  if (known) known.at = -Infinity;
}

// Another conversation has other values, and the contact may have got a name.
listen("viewChanged", () => (known = null));

/**
 * Returns the replies that the letters may mean: first those whose name begins with them, then
 * those with them at the beginning of a part of the name, then those with such words in the body.
 * @param {string} url
 * @param {string} letters
 * @param {() => void} changed called if others are meant meanwhile
 * @returns {Promise<SavedReply[] | null>} null if they can't be read
 */
export async function findReplies(url, letters, changed) {
  const offers = await readOffers(url, changed);
  if (!offers?.has_more || !letters.trim()) return offers && narrowReplies(offers.replies, letters);
  const mark = url.includes("?") ? "&" : "?";
  const found = await fetchOffers(`${url}${mark}${new URLSearchParams({ q: letters })}`);
  return found && narrowReplies(found.replies, letters);
}
