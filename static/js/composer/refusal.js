// When the open thread takes texts again, no longer does, is asked for no more, or its inbox opens
// or closes: its composer is drawn anew, and what was typed stays.
import { focus, parseHtml } from "../shared/dom.js";
import { announce, listen } from "../shared/events.js";
import { composerForm, formField, openThreadKey } from "../shared/page-elements.js";
import { fetchHtml } from "../shared/requests.js";
import { openComposer } from "./composer.js";
import { saveDraft } from "./drafts.js";
import { carrySeen } from "./send-guard.js";

/** What is said above the form. */
const NOTES = ":scope > :is(.refusal, .group-note)";

/** What the server said last, while the composer is being fetched for it. */
let wanted = "";

const replyElement = () => document.getElementById("reply");

/** @returns {HTMLTextAreaElement | null} */
const messageBox = () => document.querySelector("#message-box");

/**
 * Draws the sentences above the form anew, and leaves the form alone: somebody may be typing in it.
 * @param {HTMLElement} old
 * @param {HTMLElement} fresh
 */
function redrawNotes(old, fresh) {
  for (const note of old.querySelectorAll(NOTES)) note.remove();
  const notes = [...fresh.querySelectorAll(NOTES)];
  old.prepend(...notes);
  for (const note of notes) window.htmx?.process(note);
  Object.assign(old.dataset, fresh.dataset);
  const describing = fresh.querySelector("#message-box")?.getAttribute("aria-describedby");
  if (describing) messageBox()?.setAttribute("aria-describedby", describing);
}

/**
 * @param {HTMLElement} old
 * @param {HTMLElement} fresh
 */
function replaceComposer(old, fresh) {
  const oldForm = composerForm();
  const oldBox = messageBox();
  const seen = oldForm ? formField(oldForm, "seen").value : "";
  const hadFocus = old.contains(document.activeElement);
  old.replaceWith(fresh);
  window.htmx?.process(fresh);
  // What was typed while the server was asked is in the tab's own storage, and comes back too.
  openComposer();
  const box = messageBox();
  if (box && oldBox) box.setSelectionRange(oldBox.selectionStart, oldBox.selectionEnd);
  if (hadFocus) focus(box);
  carrySeen(oldForm, seen);
  announce("draftReplaced");
}

/** @param {number} thread */
async function redrawComposer(thread) {
  const before = replyElement();
  await saveDraft();
  // Offline nothing is drawn: the catch-up that follows says it again.
  const html = await fetchHtml(`/threads/${thread}/composer/`);
  const old = replyElement();
  if (!html || !old || old !== before || openThreadKey() !== thread) return;
  const fresh = parseHtml(html).querySelector("#reply");
  if (!(fresh instanceof HTMLElement)) return;
  if (fresh.dataset.refusal === old.dataset.refusal) redrawNotes(old, fresh);
  else replaceComposer(old, fresh);
}

listen("standing", async ({ thread, refusal, wish, hours = "" }) => {
  const shown = replyElement()?.dataset;
  if (openThreadKey() !== thread || shown?.refusal === undefined) return;
  const { hours: shownHours = "" } = shown;
  if (shown.refusal === refusal && Number(shown.wish) === wish && shownHours === hours) return;
  const told = `${thread} ${wish} ${hours} ${refusal}`;
  if (wanted === told) return;
  wanted = told;
  await redrawComposer(thread);
  wanted = "";
});

listen("hoursChanged", () => {
  const thread = openThreadKey();
  if (thread) redrawComposer(thread);
});
