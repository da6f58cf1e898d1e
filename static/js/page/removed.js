// When the agent loses the inbox that the page is inside of: the page that follows says so, and keeps
// what they had typed, to be copied.
import { closestTarget } from "../shared/dom.js";
import { listen } from "../shared/events.js";
import { liveElement, openListing, openThread } from "../shared/page-elements.js";

/** Where the tab keeps what was left, until the agent closes the notice. */
const KEPT = "partyline.removed";

/**
 * What the agent left behind in the inbox.
 * @typedef {object} Kept
 * @property {string} agent whose it is: somebody else may sign in
 * @property {string} inbox
 * @property {string} words
 * @property {string[]} files the names of attachments that were not sent
 */

const agentKey = () => liveElement()?.dataset.agent ?? "";

/**
 * Returns whether a box in view holds words of the agent: a message, or a note that they changed.
 * @param {HTMLTextAreaElement} box
 */
const isWrittenIn = (box) =>
  !box.readOnly &&
  box.getClientRects().length > 0 &&
  (box.name === "body" || box.value !== box.defaultValue);

/** Returns what is written in a conversation, or in a form that is shown instead of one. */
function collectWords() {
  /** @type {NodeListOf<HTMLTextAreaElement>} */
  const boxes = document.querySelectorAll(":is(.thread, .pane) textarea");
  const texts = [...boxes].filter(isWrittenIn).map((box) => box.value);
  return texts.filter((text) => text.trim()).join("\n\n");
}

/** @returns {Kept} */
function collectKept() {
  const names = [...document.querySelectorAll("[data-draft-files] .draft-name")];
  return {
    agent: agentKey(),
    inbox: openThread()?.dataset.inboxName ?? openListing()?.dataset.title ?? "",
    words: collectWords(),
    files: names.map((name) => name.textContent ?? ""),
  };
}

/** @returns {Kept | null} */
function readKept() {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  return kept?.agent === agentKey() ? kept : null;
}

listen("accessLost", () => {
  const fresh = collectKept();
  // What was kept earlier is not closed yet, and nothing was lost with this inbox.
  const isNews = fresh.words || fresh.files.length || !readKept()?.words;
  if (isNews) sessionStorage.setItem(KEPT, JSON.stringify(fresh));
  // Nothing more of it is shown, however long the next page takes.
  document.getElementById("conversation")?.replaceChildren();
  for (const row of document.querySelectorAll(".row-thread, .row-hit")) row.remove();
});

function showKept() {
  const kept = readKept();
  const template = document.getElementById("removed-notice");
  const pane = document.getElementById("conversation");
  if (!kept || !pane || !(template instanceof HTMLTemplateElement)) return;
  if (pane.querySelector(".thread, .pane")) return;
  const notice = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
  fillNotice(notice, kept);
  pane.replaceChildren(notice);
}

/**
 * @param {DocumentFragment} notice
 * @param {Kept} kept
 */
function fillNotice(notice, { inbox, words, files }) {
  notice.querySelector("[data-removed-from]")?.append(inbox);
  const box = notice.querySelector("textarea");
  const button = notice.querySelector("[data-copy-kept]");
  const field = notice.querySelector("[data-kept]");
  const names = notice.querySelector("[data-kept-files]");
  if (box) box.textContent = words;
  if (field instanceof HTMLElement) field.hidden = !words && !files.length;
  if (button instanceof HTMLElement) button.hidden = !words;
  if (names instanceof HTMLElement && files.length) {
    names.textContent = `Not sent with it: ${files.join(", ")}`;
    names.hidden = false;
  }
}

/** @param {HTMLElement} button */
async function copyKept(button) {
  const box = document.querySelector("#kept-words");
  if (!(box instanceof HTMLTextAreaElement)) return;
  box.select();
  try {
    await navigator.clipboard.writeText(box.value);
    button.textContent = "Copied";
  } catch {
    // Not allowed, or no https: the words are selected, and the keyboard copies them.
    box.focus();
  }
}

document.addEventListener("click", (event) => {
  const button = closestTarget(event, "[data-copy-kept]");
  if (button instanceof HTMLElement) copyKept(button);
  if (!closestTarget(event, "[data-drop-kept]")) return;
  sessionStorage.removeItem(KEPT);
  location.assign("/");
});

showKept();
