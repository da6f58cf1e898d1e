// The list of saved replies: opens with a / at the start of a word, or with the button beside the
// box, and puts the chosen one into the text.
import { closestTarget, focus } from "../shared/dom.js";
import { textBox } from "../shared/page-elements.js";
import { post } from "../shared/requests.js";
import { showToast } from "../shared/toasts.js";
import { addCopiedFiles } from "./attachments.js";
import { rememberFilled } from "./filled-replies.js";
import { insertText } from "./inserted-text.js";
import { findInName } from "./narrowed-replies.js";
import { drawPlaceholders } from "./placeholders.js";
import { BOXES, repliesAddress, takesFiles, useFields } from "./reply-forms.js";
import { expireOffers, findReplies } from "./saved-replies.js";
import { hookSuggestions } from "./suggestions.js";
import "./unfilled-marks.js";
// It closes, and gives its button the focus, before what its items do.
import "./plus-menu.js";

/** @typedef {import("./saved-replies.js").SavedReply} SavedReply */
/** @typedef {import("./suggestions.js").Box} Box */

const LABEL = "Saved replies";
const SEARCH = "Search saved replies";
const SEARCH_ID = "reply-search";
const MANAGE = "/replies/";
/** So much of a body is shown at most, in UTF-16 units. */
const EXCERPT = 200;
const NOT_READ = "Couldn't load the saved replies. Try again.";
const NOT_FOUND = "No saved reply matches.";
const NONE_YET = "No saved replies yet.";
const NO_INBOX = "Choose an inbox first.";
const DELETED = "This saved reply has just been deleted. Its words are still in your text.";
const WORDS_ONLY = "Only the words were inserted: files can't be added to a scheduled text.";

/** A slash at the start of a word, and what is typed behind it. Neither "and/or" nor "https://". */
const TYPED = /(?:^|[\s([“‘„«"'])[/／](?<letters>[^\s/／]*)$/u;

/**
 * @param {Box} box
 * @returns {import("./suggestions.js").Typed | null}
 */
function findSlash(box) {
  const caret = box.selectionStart ?? 0;
  if (caret !== box.selectionEnd) return null;
  const letters = TYPED.exec(box.value.slice(0, caret))?.groups?.letters;
  return letters === undefined ? null : { start: caret - letters.length - 1, letters };
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} className
 * @param {(Node | string)[]} content
 */
function createElement(tag, className, ...content) {
  const element = document.createElement(tag);
  element.className = className;
  element.append(...content);
  return element;
}

/**
 * Draws a reply's name, with the letters marked that were typed.
 * @param {string} name
 * @param {string} letters
 */
function drawName(name, letters) {
  const [start, end] = findInName(name, letters);
  const typed = createElement("span", "reply-typed", name.slice(start, end));
  const drawn = createElement("b", "reply-name", "/", name.slice(0, start), typed, name.slice(end));
  drawn.dir = "auto";
  return drawn;
}

/**
 * @param {SavedReply} reply
 * @param {string} letters
 */
function drawReply({ name, body, owner, files }, letters) {
  const excerpt = body.slice(0, EXCERPT).replace(/\s+/gu, " ");
  const words = createElement("span", "reply-body", ...drawPlaceholders(excerpt));
  words.dir = "auto";
  const about = [owner, ...(files ? [`${files} file${files === 1 ? "" : "s"}`] : [])];
  return [drawName(name, letters), " ", words, " ", createElement("span", "reply-owner", about.join(" · "))];
}

/**
 * Draws what stands below the list: its keys, and the way to the page of saved replies.
 * @param {HTMLFormElement} form
 */
function drawFoot(form) {
  const key = (/** @type {string} */ name) => createElement("kbd", "", name);
  const link = createElement("a", "reply-manage", "Manage saved replies");
  // A conversation keeps its draft; another form would lose its text.
  if (form.id !== "composer") link.target = "_blank";
  const foot = createElement(
    "p",
    "reply-foot",
    createElement("span", "reply-key", key("↑"), " ", key("↓"), " choose"),
    createElement("span", "reply-key", key("Enter"), " insert"),
    createElement("span", "reply-key", key("Esc"), " close"),
    link,
  );
  for (const hint of foot.querySelectorAll(".reply-key")) hint.setAttribute("aria-hidden", "true");
  link.href = MANAGE;
  // A press on the foot leaves the focus in the box, or the list would close before the click.
  foot.addEventListener("mousedown", (event) => event.preventDefault());
  return foot;
}

/**
 * Puts a menu over the box of a form, or below it where the form can scroll.
 * @param {Box} box
 * @param {...Node} content
 */
function placeMenu(box, ...content) {
  const whole = createElement("div", "reply-menu", createElement("div", "reply-sheet", ...content));
  const frame = box.closest(".box");
  if (frame) frame.before(whole);
  else box.after(whole);
  return whole;
}

/**
 * @param {Element} box one in a form
 * @returns {HTMLFormElement}
 */
const formOf = (box) => /** @type {HTMLFormElement} */ (box.closest("form"));

/** @param {HTMLFormElement} form */
const menuButton = (form) => form.querySelector("[data-saved-replies][aria-expanded]");

/**
 * @param {HTMLFormElement} form
 * @param {string} letters
 * @param {() => void} changed called if others are found meanwhile
 */
async function findFor(form, letters, changed) {
  const address = repliesAddress(form);
  return address ? findReplies(address, letters, changed) : [];
}

/**
 * Puts a reply into the box of a form, in place of what was typed to find it.
 * @param {HTMLFormElement} form
 * @param {SavedReply} reply
 * @param {{start: number, end: number}} part
 */
function insertReply(form, reply, part) {
  rememberFilled(form, reply.written, reply.values);
  insertText(textBox(form), reply.body, part);
  expireOffers();
  const answer = post(reply.used, useFields(form));
  if (reply.files && takesFiles(form)) {
    addCopiedFiles(form, answer);
    return;
  }
  if (reply.files) showToast(WORDS_ONLY);
  answer.then(({ status }) => status === 404 && showToast(DELETED)).catch(() => {});
}

const menu = hookSuggestions({
  id: "saved-replies",
  label: LABEL,
  isBox: (box) => box.matches(BOXES),
  findTyped: findSlash,
  findItems: async (box, letters) =>
    (await findFor(formOf(box), letters, () => menu.update(box))) ?? [],
  draw: drawReply,
  place: (box, list) => placeMenu(box, list, drawFoot(formOf(box))),
  choose: (box, reply, { start }) => {
    insertReply(formOf(box), reply, { start, end: box.selectionEnd ?? start });
  },
  waitsForWord: true,
});

/** The form whose button opened the search. @type {HTMLFormElement | null} */
let searchedFor = null;

const search = hookSuggestions({
  id: "saved-replies-found",
  label: LABEL,
  isBox: (box) => box.id === SEARCH_ID,
  findTyped: ({ value }) => ({ start: 0, letters: value }),
  findItems: async (box, letters) => {
    if (!searchedFor) return [];
    const found = await findFor(searchedFor, letters, () => search.update(box));
    const none = box.parentElement?.querySelector(".reply-none");
    if (none) none.textContent = found?.length ? "" : whyNone(searchedFor, letters, found);
    return found ?? [];
  },
  draw: drawReply,
  place: (box, list) => {
    box.after(list);
    return /** @type {Element} */ (box.closest(".reply-menu"));
  },
  choose: (_, reply) => {
    const box = searchedFor && textBox(searchedFor);
    if (!searchedFor || !box) return;
    const start = findSlash(box)?.start ?? box.selectionStart;
    insertReply(searchedFor, reply, { start, end: box.selectionEnd });
  },
  dismissed: () => focus(searchedFor && textBox(searchedFor)),
  closed: () => searchedFor && menuButton(searchedFor)?.setAttribute("aria-expanded", "false"),
  isSearch: true,
});

/**
 * @param {HTMLFormElement} form
 * @param {string} letters
 * @param {SavedReply[] | null} found
 */
function whyNone(form, letters, found) {
  if (!repliesAddress(form)) return NO_INBOX;
  if (!found) return NOT_READ;
  return letters.trim() ? NOT_FOUND : NONE_YET;
}

/** @param {HTMLFormElement} form */
function openSearch(form) {
  menu.close();
  search.close();
  searchedFor = form;
  const box = createElement("input", "reply-search");
  box.id = SEARCH_ID;
  box.type = "text";
  box.autocomplete = "off";
  box.placeholder = SEARCH;
  box.setAttribute("aria-label", SEARCH);
  box.setAttribute("role", "combobox");
  box.setAttribute("aria-autocomplete", "list");
  box.setAttribute("aria-expanded", "true");
  // It is no field of the form that it stands in, and Enter sends nothing.
  box.setAttribute("form", "");
  placeMenu(textBox(form), box, createElement("p", "reply-none"), drawFoot(form));
  menuButton(form)?.setAttribute("aria-expanded", "true");
  focus(box);
  search.open(box);
}

document.addEventListener("click", (event) => {
  const form = closestTarget(event, "[data-saved-replies]")?.closest("form");
  if (!form) return;
  if (document.getElementById(SEARCH_ID)) search.close();
  else openSearch(form);
});

// A press on the button closes an open search, which the loss of the focus would do before it.
document.addEventListener("mousedown", (event) => {
  if (closestTarget(event, "[data-saved-replies]")) event.preventDefault();
});

// Until now its buttons were hidden: they would have done nothing.
document.documentElement.dataset.replying = "true";

// What was typed before this module was there.
const early = document.activeElement;
if (early instanceof HTMLTextAreaElement && early.matches(BOXES) && early.value !== early.defaultValue) {
  menu.update(early);
}
