// The draft of each thread, text and mode, kept on the server: over reloads, and in all tabs.
import { token } from "../shared/csrf.js";
import { isInternal, setMode } from "./internal-mode.js";

const PAUSE = 600;
/** Milliseconds after which somebody who never pauses is written down all the same. */
const LONGEST = 3_000;
const AGAIN = 5_000;

/**
 * What the server has, as far as this page knows, and up to which of the agent's counters.
 * @typedef {{form: HTMLFormElement, text: string, mode: boolean, seq: number, since: number,
 *   timer?: ReturnType<typeof setTimeout>, isSaving: boolean}} Draft
 */

/** @type {Draft | null} */
let draft = null;

/** @typedef {{thread: number, body: string, is_internal: boolean, files: number[], seq: number}} Told */

const MOST_AHEAD = 50;

/**
 * What was told of threads that are not open: the page of one may be on its way, and older.
 * @type {Map<string, Told>}
 */
const ahead = new Map();

/** @param {HTMLFormElement} of */
const boxOf = (of) => /** @type {HTMLTextAreaElement} */ (of.querySelector("textarea"));

/** @param {HTMLFormElement} of */
const keyOf = (of) => /** @type {HTMLInputElement} */ (of.elements.namedItem("form_key"));

/** @param {HTMLFormElement} of */
const place = (of) => `typed:${document.getElementById("live")?.dataset.agent}:${of.dataset.thread}`;

/** @param {Draft} of */
const isNewer = (of) => boxOf(of.form).value !== of.text || isInternal(of.form) !== of.mode;

/**
 * Until the server has it, what was typed outlives a reload in the tab's own storage.
 * @param {Draft} of
 */
function note(of) {
  if (!isNewer(of)) sessionStorage.removeItem(place(of.form));
  else {
    const kept = { text: boxOf(of.form).value, mode: isInternal(of.form), key: keyOf(of.form).value };
    sessionStorage.setItem(place(of.form), JSON.stringify(kept));
  }
}

/**
 * @param {Draft} of
 * @param {number} [pause]
 */
function saveSoon(of, pause = PAUSE) {
  note(of);
  clearTimeout(of.timer);
  if (!isNewer(of)) {
    of.since = 0;
    return;
  }
  of.since ||= Date.now();
  const wait = Math.min(pause, Math.max(PAUSE / 4, of.since + LONGEST - Date.now()));
  of.timer = setTimeout(() => (of.isSaving ? saveSoon(of) : save(of)), wait);
}

/**
 * @param {Draft} of
 * @param {string} key the form that the text was typed in
 */
async function save(of, key = keyOf(of.form).value) {
  clearTimeout(of.timer);
  note(of);
  if (!isNewer(of)) return;
  const text = boxOf(of.form).value;
  const mode = isInternal(of.form);
  of.since = 0;
  of.isSaving = true;
  let answer = null;
  try {
    const response = await fetch(of.form.dataset.draft ?? "", {
      method: "POST",
      headers: { "X-CSRFToken": token() },
      body: new URLSearchParams({ body: text, is_internal: String(mode), form_key: key }),
      keepalive: true,
    });
    if (response.ok && !response.redirected) answer = await response.json();
    else if (response.status === 422) answer = { seq: of.seq };
  } catch {
    // Kept in this tab until the server is back.
  }
  of.isSaving = false;
  // What was left behind waits in the tab's storage until its thread is opened again.
  if (!answer) {
    if (of === draft) saveSoon(of, AGAIN);
  } else if (answer.sent) wasSent(of, answer);
  else if (answer.seq >= of.seq) {
    Object.assign(of, { text, mode, seq: answer.seq });
    saveSoon(of);
  } else saveSoon(of);
}

/**
 * The form made its message, though this page had not heard of it.
 * @param {Draft} of
 * @param {{seq: number, sent: {body: string, form_key: string}}} answer
 */
function wasSent(of, answer) {
  if (keyOf(of.form).value) keyOf(of.form).value = answer.sent.form_key;
  of.seq = Math.max(of.seq, answer.seq);
  if (boxOf(of.form).value === answer.sent.body) {
    boxOf(of.form).value = "";
    of.text = "";
    document.dispatchEvent(new CustomEvent("partyline:drafted"));
  }
  saveSoon(of);
}

/** Writes down at once what was not yet. */
function flush() {
  if (draft) save(draft);
}

/** The same for one who waits for it. */
export async function keepDraft() {
  if (draft) await save(draft);
}

/**
 * A composer was opened; the server drew its draft into it.
 * @param {HTMLFormElement} form
 */
export function openDraft(form) {
  if (draft?.form === form) return;
  flush();
  draft = {
    form,
    text: boxOf(form).defaultValue,
    mode: isInternal(form),
    seq: Number(form.dataset.draftSeq),
    since: 0,
    isSaving: false,
  };
  const late = ahead.get(form.dataset.thread ?? "");
  if (late) take(late);
  const kept = sessionStorage.getItem(place(form));
  if (kept === null || boxOf(form).value !== draft.text) return;
  const { text, mode, key } = JSON.parse(kept);
  boxOf(form).value = text;
  setMode(form, mode);
  save(draft, key);
}

/**
 * The box or its mode changed by the agent's hand.
 * @param {HTMLFormElement} form
 */
export function touchDraft(form) {
  if (draft?.form === form) saveSoon(draft);
}

/**
 * The text was taken, and the server has no draft any more.
 * @param {HTMLFormElement} form
 * @param {number} seq the agent's counter at which it went
 * @param {boolean} mode the one that it was sent in
 */
export function forgetDraft(form, seq, mode) {
  if (draft?.form !== form) return;
  Object.assign(draft, { text: "", mode, seq: Math.max(draft.seq, seq) });
  saveSoon(draft);
}

/** @param {Told} told */
function take(told) {
  const thread = String(told.thread);
  if (thread !== draft?.form.dataset.thread) {
    ahead.delete(thread);
    ahead.set(thread, told);
    const [oldest] = ahead.keys();
    if (oldest !== undefined && ahead.size > MOST_AHEAD) ahead.delete(oldest);
    return;
  }
  ahead.delete(thread);
  if (!draft || told.seq <= draft.seq) return;
  document.dispatchEvent(new CustomEvent("partyline:files", { detail: told.files }));
  // What is newer in this tab stays; it is about to be saved over the other.
  const isOurs = isNewer(draft) || draft.isSaving;
  draft.seq = told.seq;
  if (isOurs) return;
  const box = boxOf(draft.form);
  const wasText = box.value;
  Object.assign(draft, { text: told.body, mode: told.is_internal });
  if (wasText !== told.body) box.value = told.body;
  setMode(draft.form, told.is_internal);
  // Where only internal messages are possible, the mode is not the draft's to say.
  draft.mode = isInternal(draft.form);
  note(draft);
  // Reading or muting the thread tells of its draft too; a complaint about the same text stays.
  if (wasText !== told.body) document.dispatchEvent(new CustomEvent("partyline:drafted"));
}

document.addEventListener("partyline:drafts", (event) => {
  for (const told of /** @type {CustomEvent} */ (event).detail) take(told);
});

document.addEventListener("partyline:mode", () => {
  if (draft) saveSoon(draft);
});

document.addEventListener("htmx:before:swap", (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  if (["panes", "conversation"].includes(ctx.target?.id)) flush();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) flush();
});
window.addEventListener("pagehide", flush);
window.addEventListener("online", flush);
