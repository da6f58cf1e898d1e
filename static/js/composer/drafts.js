// The draft of each thread, text and mode, is kept on the server: over reloads, and in all tabs.
import { placeCaretAtEnd } from "../shared/dom.js";
import { announce, listen } from "../shared/events.js";
import { formField, isNavigation, liveElement, textBox } from "../shared/page-elements.js";
import { post } from "../shared/requests.js";
import { isInternal, setInternal } from "./internal-mode.js";

/** @typedef {import("../shared/events.js").ServerDraft} ServerDraft */

/** Milliseconds without typing after which the draft is saved. */
const PAUSE_MS = 600;
/** While somebody never pauses, it is saved this often all the same. */
const LONGEST_MS = 3_000;
const RETRY_MS = 5_000;

/**
 * The open thread's draft.
 * @typedef {object} Draft
 * @property {HTMLFormElement} form
 * @property {string} text what the server has, as far as this page knows
 * @property {boolean} mode whether the server has it as internal
 * @property {number} seq the agent's change counter at which the server had it
 * @property {number} since when something was first unsaved, in milliseconds; 0 if all is saved
 * @property {ReturnType<typeof setTimeout>} [timer]
 * @property {boolean} isSaving
 */

/** @type {Draft | null} */
let draft = null;

/** So many drafts of threads that are not open are kept. */
const MOST_EARLY = 50;

/**
 * Drafts that came for threads that are not open: the page of one may be on its way, and be older.
 * @type {Map<string, ServerDraft>}
 */
const early = new Map();

/** @param {HTMLFormElement} form */
const storageKey = (form) => `typed:${liveElement()?.dataset.agent}:${form.dataset.thread}`;

/** @param {Draft} of */
const isUnsaved = (of) => textBox(of.form).value !== of.text || isInternal(of.form) !== of.mode;

/**
 * Keeps in the tab's own storage what the server does not have yet, so that it outlives a reload.
 * @param {Draft} of
 */
function keepInTab(of) {
  if (!isUnsaved(of)) sessionStorage.removeItem(storageKey(of.form));
  else {
    const text = textBox(of.form).value;
    const kept = { text, mode: isInternal(of.form), key: formField(of.form, "form_key").value };
    sessionStorage.setItem(storageKey(of.form), JSON.stringify(kept));
  }
}

/**
 * @param {Draft} of
 * @param {number} [pause]
 */
function saveSoon(of, pause = PAUSE_MS) {
  keepInTab(of);
  clearTimeout(of.timer);
  if (!isUnsaved(of)) {
    of.since = 0;
    return;
  }
  of.since ||= Date.now();
  const wait = Math.min(pause, Math.max(PAUSE_MS / 4, of.since + LONGEST_MS - Date.now()));
  of.timer = setTimeout(() => (of.isSaving ? saveSoon(of) : saveNow(of)), wait);
}

/**
 * @param {Draft} of
 * @param {string} key of the form that the text was typed in
 */
async function saveNow(of, key = formField(of.form, "form_key").value) {
  clearTimeout(of.timer);
  keepInTab(of);
  if (!isUnsaved(of)) return;
  const text = textBox(of.form).value;
  const mode = isInternal(of.form);
  of.since = 0;
  of.isSaving = true;
  const answer = await postDraft(of, { body: text, is_internal: String(mode), form_key: key });
  of.isSaving = false;
  if (!answer) {
    // The draft of a thread that was left stays in the tab until the thread is opened again.
    if (of === draft) saveSoon(of, RETRY_MS);
  } else if (answer.sent) takeSent(of, answer.seq, answer.sent);
  else if (answer.seq >= of.seq) {
    Object.assign(of, { text, mode, seq: answer.seq });
    saveSoon(of);
  } else saveSoon(of);
}

/**
 * What the server says to a draft: `sent` if the form had made its message already.
 * @typedef {{seq: number, sent?: {body: string, form_key: string}}} SavedDraft
 */

/**
 * @param {Draft} of
 * @param {Record<string, string>} fields
 * @returns {Promise<SavedDraft | null>} null if it has to be tried again
 */
async function postDraft(of, fields) {
  try {
    const response = await post(of.form.dataset.draft ?? "", fields, { keepalive: true });
    if (response.ok && !response.redirected) return await response.json();
    return response.status === 422 ? { seq: of.seq } : null;
  } catch {
    return null;
  }
}

/**
 * Empties the box of a text that was sent, though this page had not heard of it.
 * @param {Draft} of
 * @param {number} seq
 * @param {{body: string, form_key: string}} sent
 */
function takeSent(of, seq, sent) {
  const key = formField(of.form, "form_key");
  if (key.value) key.value = sent.form_key;
  of.seq = Math.max(of.seq, seq);
  if (textBox(of.form).value === sent.body) {
    textBox(of.form).value = "";
    of.text = "";
    announce("draftReplaced");
  }
  saveSoon(of);
}

/** Saves now what was not saved yet. */
export async function saveDraft() {
  if (draft) await saveNow(draft);
}

/**
 * Takes over the draft of a composer that was opened, as the server drew it.
 * @param {HTMLFormElement} form
 */
export function openDraft(form) {
  if (draft?.form === form) return;
  saveDraft();
  draft = {
    form,
    text: textBox(form).defaultValue,
    mode: isInternal(form),
    seq: Number(form.dataset.draftSeq),
    since: 0,
    isSaving: false,
  };
  const newer = early.get(form.dataset.thread ?? "");
  if (newer) takeServerDraft(newer);
  const kept = sessionStorage.getItem(storageKey(form));
  if (kept === null || textBox(form).value !== draft.text) return;
  const { text, mode, key } = JSON.parse(kept);
  textBox(form).value = text;
  placeCaretAtEnd(textBox(form));
  setInternal(form, mode);
  saveNow(draft, key);
}

/**
 * Saves soon what the agent has just typed.
 * @param {HTMLFormElement} form
 */
export function touchDraft(form) {
  if (draft?.form === form) saveSoon(draft);
}

/**
 * Notes that the text was sent, and that the server has no draft any more.
 * @param {HTMLFormElement} form
 * @param {number} seq the agent's change counter when it was sent
 * @param {boolean} mode whether it was internal
 */
export function forgetDraft(form, seq, mode) {
  if (draft?.form !== form) return;
  Object.assign(draft, { text: "", mode, seq: Math.max(draft.seq, seq) });
  saveSoon(draft);
}

/**
 * A text that was taken back, and what the server has in the box since: the text, and below it what
 * was typed meanwhile.
 * @typedef {{returned: string, body: string, is_internal: boolean, files: number[], seq: number}}
 *   ReturnedText
 */

/**
 * Puts a text that was taken back into the box. Nothing that was typed is lost, whether the answer
 * or the server's own draft came first.
 * @param {HTMLFormElement} form
 * @param {ReturnedText} back
 * @param {string} before what was in the box when the text was taken back
 */
export function takeReturned(form, back, before) {
  if (draft?.form !== form) return;
  const box = textBox(form);
  if (box.value === before) box.value = back.body;
  else if (!box.value.startsWith(back.returned)) box.value = `${back.returned}\n${box.value}`;
  if (back.seq >= draft.seq) {
    Object.assign(draft, { text: back.body, mode: back.is_internal, seq: back.seq });
  }
  setInternal(form, back.is_internal);
  placeCaretAtEnd(box);
  announce("draftReplaced");
  announce("draftFilesChanged", back.files);
  saveSoon(draft);
}

/** @param {ServerDraft} fresh */
function takeServerDraft(fresh) {
  const thread = String(fresh.thread);
  if (thread !== draft?.form.dataset.thread) {
    keepEarly(thread, fresh);
    return;
  }
  early.delete(thread);
  if (!draft || fresh.seq <= draft.seq) return;
  announce("draftFilesChanged", fresh.files);
  // What is newer in this tab stays: it is about to be saved over the other.
  const isOurs = isUnsaved(draft) || draft.isSaving;
  draft.seq = fresh.seq;
  if (isOurs) return;
  const box = textBox(draft.form);
  const wasText = box.value;
  Object.assign(draft, { text: fresh.body, mode: fresh.is_internal });
  if (wasText !== fresh.body) {
    box.value = fresh.body;
    placeCaretAtEnd(box);
  }
  setInternal(draft.form, fresh.is_internal);
  // Where only internal messages are possible, the draft has no say in it.
  draft.mode = isInternal(draft.form);
  keepInTab(draft);
  // Reading or muting the thread sends its draft too; a complaint about the same text stays.
  if (wasText !== fresh.body) announce("draftReplaced");
}

/**
 * @param {string} thread
 * @param {ServerDraft} fresh
 */
function keepEarly(thread, fresh) {
  early.delete(thread);
  early.set(thread, fresh);
  const [oldest] = early.keys();
  if (oldest !== undefined && early.size > MOST_EARLY) early.delete(oldest);
}

listen("drafts", (drafts) => drafts.forEach(takeServerDraft));

listen("modeChanged", () => {
  if (draft) saveSoon(draft);
});

document.addEventListener("htmx:before:swap", ({ detail: { ctx } }) => {
  if (isNavigation(ctx)) saveDraft();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) saveDraft();
});
window.addEventListener("pagehide", saveDraft);
window.addEventListener("online", saveDraft);
