// The @ menu, and the switch to internal as soon as somebody is mentioned.
import { findMentions, fold } from "./mentions.js";
import { setMode } from "./internal-mode.js";

/** Milliseconds for which the members that were read are believed. */
const FRESH = 30_000;

/** Milliseconds: the page comes first, and its menu then, or with the first @. */
const MENU_AFTER = 2_000;

/**
 * @typedef {{handle: string, name: string, words: string[]}} Member
 * @typedef {{url: string, at: number, me: string, members: Member[]}} Team
 */

/** @type {Team | null} */
let team = null;
/** @type {Promise<Team | null> | null} */
let reading = null;

/** @returns {HTMLFormElement | null} */
const form = () => document.querySelector("#composer");

/** @param {ParentNode} of */
const boxOf = (of) => /** @type {HTMLTextAreaElement} */ (of.querySelector("textarea"));

/**
 * The other members of the open thread's inbox; null where nobody can be mentioned.
 * @returns {Promise<Team | null>}
 */
async function askTeam() {
  const url = form()?.dataset.mentions;
  if (!url) return null;
  if (!reading && team?.url === url && Date.now() - team.at < FRESH) return team;
  reading ??= readTeam(url).finally(() => (reading = null));
  const read = await reading;
  return read?.url === form()?.dataset.mentions ? read : askTeam();
}

/**
 * @param {string} url
 * @returns {Promise<Team | null>} what was known before if the server cannot be reached
 */
async function readTeam(url) {
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
 * Who is mentioned in the box, as far as is known now.
 * @param {HTMLFormElement} of
 */
function mentioned(of) {
  if (!team || team.url !== of.dataset.mentions) return [];
  const handles = team.members.map((member) => member.handle);
  return findMentions(boxOf(of).value, handles, team.me);
}

/** Mentioning a member is writing to the team; the mode then stays. */
async function check() {
  const now = form();
  if (!now?.dataset.mentions || !boxOf(now).value.includes("@")) return;
  if (mentioned(now).length) setMode(now, true);
  else if ((await askTeam()) && form() === now && mentioned(now).length) setMode(now, true);
}

/** @param {Member} member */
function draw(member) {
  const option = document.createElement("li");
  option.setAttribute("role", "option");
  option.id = `mention-${member.handle.replace(/[^\w-]/g, "_")}`;
  option.dataset.handle = member.handle;
  const name = document.createElement("span");
  name.className = "mention-name";
  name.textContent = member.name;
  const handle = document.createElement("span");
  handle.className = "mention-handle";
  handle.textContent = `@${member.handle}`;
  option.append(name, " ", handle);
  return option;
}

/**
 * @param {string} letters what stands behind the @
 * @returns {Promise<{matched: boolean, fragment?: HTMLElement}>}
 */
async function menu(letters) {
  const wanted = fold(letters);
  const found = (await askTeam())?.members.filter((member) =>
    member.words.some((word) => word.startsWith(wanted)),
  );
  if (!found?.length) return { matched: false };
  const list = document.createElement("ul");
  list.className = "mention-menu";
  list.id = "mention-menu";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Mention someone");
  list.append(...found.map(draw));
  return { matched: true, fragment: list };
}

let isMenuReady = false;

async function readyMenu() {
  if (isMenuReady) return;
  try {
    await import("../../vendor/text-expander.js");
  } catch {
    // The line is cut; the next @ asks again.
    return;
  }
  isMenuReady = true;
  // An @ that was faster than the menu is told of again.
  const box = document.activeElement;
  if (box instanceof HTMLTextAreaElement && box.value.includes("@")) {
    box.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }
}

setTimeout(readyMenu, MENU_AFTER);

document.addEventListener("text-expander-change", (event) => {
  const { provide, text } = /** @type {CustomEvent} */ (event).detail;
  provide(menu(text));
}, true);

document.addEventListener("text-expander-value", (event) => {
  const { detail } = /** @type {CustomEvent} */ (event);
  detail.value = `@${detail.item.dataset.handle}`;
}, true);

document.addEventListener("text-expander-committed", (event) => {
  const { input } = /** @type {CustomEvent} */ (event).detail;
  input.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertText" }));
}, true);

// The box stays a textbox of many lines, which no combobox may be. What is active in the list is
// told by aria-activedescendant, which a textbox has too.
document.addEventListener("text-expander-activate", (event) => {
  const box = boxOf(/** @type {Element} */ (event.target));
  queueMicrotask(() => {
    box.removeAttribute("role");
    box.removeAttribute("aria-expanded");
  });
}, true);

document.addEventListener("input", (event) => {
  if (!(event.target instanceof HTMLTextAreaElement) || event.target.id !== "message-box") return;
  if (event.target.value.includes("@")) readyMenu();
  check();
});

document.addEventListener("partyline:keeps-internal", (event) => {
  const now = form();
  if (now) /** @type {CustomEvent} */ (event).detail.mentioned = mentioned(now)[0]?.handle ?? "";
});

document.addEventListener("partyline:looked", check);
document.addEventListener("partyline:drafted", check);
