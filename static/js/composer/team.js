// Who can be mentioned in the open thread: the other members of its inbox.
import { composerForm, textBox } from "../shared/page-elements.js";
import { findMentions } from "./mentions.js";

/** Milliseconds for which the members that were read are believed. */
const FRESH_MS = 30_000;

/**
 * @typedef {object} Member
 * @property {string} handle
 * @property {string} name
 * @property {string[]} words the beginnings by which the member is found, folded
 */

/**
 * @typedef {object} Team
 * @property {string} url where it was read
 * @property {number} at when, in milliseconds
 * @property {string} me the agent's own handle
 * @property {Member[]} members
 */

/** @type {Team | null} */
let team = null;
/** @type {Promise<Team | null> | null} */
let reading = null;

/**
 * Reads the team of the open thread, unless it was read just now.
 * @returns {Promise<Team | null>} null where nobody can be mentioned
 */
export async function readTeam() {
  const url = composerForm()?.dataset.mentions;
  if (!url) return null;
  if (!reading && team?.url === url && Date.now() - team.at < FRESH_MS) return team;
  reading ??= fetchTeam(url).finally(() => (reading = null));
  const read = await reading;
  return read?.url === composerForm()?.dataset.mentions ? read : readTeam();
}

/**
 * @param {string} url
 * @returns {Promise<Team | null>} what was known before if the server cannot be reached
 */
async function fetchTeam(url) {
  const known = team?.url === url ? team : { url, me: "", members: [] };
  const read = { ...known, at: Date.now() };
  team = read;
  try {
    const answer = await fetch(url, { headers: { Accept: "application/json" } });
    if (answer.ok && !answer.redirected) team = { url, at: Date.now(), ...(await answer.json()) };
  } catch {
    // The server decides anyway, when the message is sent.
    read.at = 0;
  }
  return team;
}

/**
 * Finds who is mentioned in the box, as far as the team was read already.
 * @param {HTMLFormElement} form
 * @returns {string[]} their handles
 */
export function mentionedHandles(form) {
  if (!team || team.url !== form.dataset.mentions) return [];
  const handles = team.members.map((member) => member.handle);
  return findMentions(textBox(form).value, handles, team.me).map((mention) => mention.handle);
}
