// The composer: grows with its text, sends it, and never loses what was typed.
import { showNewestMessage } from "../conversation/history.js";
import { insertFragments } from "../live/fragments.js";
import { placeCarets } from "../page/carets.js";
import { isUnreachable } from "../page/network-errors.js";
import { renewCsrfToken } from "../shared/csrf.js";
import { focus, parseHtml } from "../shared/dom.js";
import { announce, listen } from "../shared/events.js";
import { isBlank } from "../shared/folding.js";
import { composerForm, isNavigation, pressSend, textBox } from "../shared/page-elements.js";
import { showToast, withdrawToast } from "../shared/toasts.js";
import { forgetDraft, openDraft, touchDraft } from "./drafts.js";
import { isInternal, setInternal } from "./internal-mode.js";
import { showSegments } from "./segments.js";
import { showLength } from "./text-length.js";
import { openSendGuard, resetSendGuard } from "./send-guard.js";

const NOTHING_WRITTEN = "Write something first.";
const SIGNED_OUT =
  "Not sent: you're signed out. Your text is kept. Sign in in another tab, then send again.";
const SENT_AND_DONE = "Sent and marked as done.";
const NO_CONNECTION = "Not sent: no connection. Your text is kept.";
const NOT_TAKEN = "Not sent: something went wrong. Your text is kept. Try again.";
const NO_ACCESS = "Not sent: you no longer have access to this conversation.";
const NOT_DONE = "That didn't work. Reload the page and try again.";
const NOT_REACHED = "That didn't work: no connection. Try again.";
/** Milliseconds after a text was sent in which an empty one is the rest of a double click. */
const ECHO_MS = 500;
/** When the last text was sent. */
let sentAt = -ECHO_MS;
const coarse = matchMedia("(pointer: coarse)");

/**
 * Fits the box to its lines where CSS cannot.
 * @param {HTMLTextAreaElement} box
 */
function fitBox(box) {
  if (CSS.supports("field-sizing", "content")) return;
  box.rows = 1;
  const line = Number.parseFloat(getComputedStyle(box).lineHeight);
  box.rows = Math.min(8, Math.max(1, Math.round((box.scrollHeight - 18) / line)));
}

/**
 * Shows how many segments the text has, and how near it is to the limit.
 * @param {HTMLFormElement} form
 */
function measureText(form) {
  const text = textBox(form).value;
  const limit = isInternal(form) ? form.dataset.teamLimit : form.dataset.limit;
  showSegments(form, text);
  showLength(form, text, Number(limit));
}

/**
 * @param {HTMLFormElement} form
 * @param {string} sentence empty if nothing is wrong
 */
function setError(form, sentence) {
  const error = form.querySelector("[data-error]");
  if (error && error.textContent !== sentence) error.textContent = sentence;
  if (sentence) textBox(form).setAttribute("aria-invalid", "true");
  else textBox(form).removeAttribute("aria-invalid");
}

/** Prepares the composer of a conversation that was just opened. */
export function openComposer() {
  const form = composerForm();
  if (!form) return;
  openDraft(form);
  fitBox(textBox(form));
  placeCarets();
  measureText(form);
}

/**
 * Takes over the key by which the server knows a form that is sent twice.
 * @param {HTMLFormElement} form
 * @param {ParentNode} answer
 */
function takeFormKey(form, answer) {
  const fresh = answer.querySelector("[name=form_key]");
  const ours = form.querySelector("[name=form_key]");
  if (fresh instanceof HTMLInputElement && ours instanceof HTMLInputElement) {
    ours.value = fresh.value;
  }
}

/** @param {HTMLFormElement} form */
function emptyBox(form) {
  const box = textBox(form);
  box.value = "";
  fitBox(box);
}

/**
 * @param {HTMLFormElement} form
 * @param {URLSearchParams} request what was sent
 * @param {string} html the message, or the scheduled text
 */
function takeSent(form, request, html) {
  const wasInternal = request.get("is_internal") === "true";
  const answer = parseHtml(html);
  takeFormKey(form, answer);
  setError(form, "");
  sentAt = performance.now();
  if (textBox(form).value === request.get("body")) emptyBox(form);
  measureText(form);
  const said = answer.querySelector("[data-toast]")?.textContent;
  if (said) showToast(said);
  announce("messageSent", { attachments: request.getAll("attachment") });
  const message = answer.querySelector(".message");
  // The server decides: somebody was mentioned of whom this page did not know.
  const isNowInternal = Boolean(message?.classList.contains("internal"));
  if (isNowInternal && !wasInternal) setInternal(form, true);
  const seq = answer.querySelector("[name=draft_seq]");
  forgetDraft(form, seq instanceof HTMLInputElement ? Number(seq.value) : 0, isNowInternal);
  const scheduled = answer.querySelector(".later-text");
  if (scheduled) insertFragments(scheduled.outerHTML);
  const shown = message ?? answer.querySelector(".leaving");
  if (!shown) return;
  insertFragments(shown.outerHTML);
  showNewestMessage();
  // Otherwise the server says why not.
  if (request.has("done") && !answer.querySelector("[data-toast]")) showToast(SENT_AND_DONE);
}

/**
 * Shows what is wrong; or the composer anew, if the thread takes other texts than before.
 * @param {HTMLFormElement} form
 * @param {string} html
 */
function takeRefused(form, html) {
  const answer = parseHtml(html);
  const fresh = answer.querySelector("form");
  if (!fresh || "onlyInternal" in fresh.dataset !== "onlyInternal" in form.dataset) {
    const reply = answer.querySelector("#reply");
    if (!reply) return;
    form.closest("#reply")?.replaceWith(reply);
    window.htmx?.process(reply);
    openComposer();
    return;
  }
  takeFormKey(form, answer);
  announce("messageRefused");
  setError(form, answer.querySelector("[data-error]")?.textContent?.trim() || NOT_TAKEN);
  textBox(form).focus();
}

/** @param {HTMLFormElement} form */
async function takeForbidden(form) {
  const isSignedIn = await renewCsrfToken();
  setError(
    form,
    isSignedIn
      ? "Not sent: your session changed. Your text is kept; send it again."
      : SIGNED_OUT,
  );
}

/**
 * @param {HTMLFormElement} form
 * @param {HtmxAnswered} ctx
 */
function takeAnswer(form, ctx) {
  const { raw, status } = ctx.response;
  if (status === 409) {
    openSendGuard(form, ctx.text);
    return;
  }
  resetSendGuard(form);
  if (isUnreachable(raw)) setError(form, NO_CONNECTION);
  else if (status === 422) takeRefused(form, ctx.text);
  else if (status === 403 || raw.redirected) takeForbidden(form);
  else if (status === 404) setError(form, NO_ACCESS);
  else if (status >= 400) setError(form, NOT_TAKEN);
  else takeSent(form, new URLSearchParams(ctx.request.body), ctx.text);
}

document.addEventListener("htmx:before:request", (event) => {
  const { sourceElement } = event.detail.ctx;
  const form = composerForm();
  if (!form || form !== sourceElement || !isBlank(textBox(form).value)) return;
  if (form.querySelector(".draft-file")) return;
  event.preventDefault();
  const isEcho = performance.now() - sentAt < ECHO_MS && !textBox(form).value;
  if (!isEcho) setError(form, NOTHING_WRITTEN);
  textBox(form).focus();
});

document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  const { sourceElement, response, text } = ctx;
  if (ctx.request.method !== "POST") return;
  event.preventDefault();
  if (sourceElement instanceof HTMLFormElement && sourceElement.matches("#composer")) {
    takeAnswer(sourceElement, ctx);
  } else if (response.status === 422) showToast(text);
  else if (response.status >= 400 || response.raw.redirected) {
    showToast(isUnreachable(response.raw) ? NOT_REACHED : NOT_DONE);
  } else if (text.includes("data-in=")) insertFragments(text);
});

// The button was disabled meanwhile, and so lost the focus: the question that came gets it, else the
// button, else, if that is gone, the history.
document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  const button = ctx.sourceElement;
  if (!button.matches(".retry")) return;
  setTimeout(() => {
    if (document.activeElement !== document.body) return;
    const rest = button.isConnected ? button : document.querySelector(".log");
    focus(document.querySelector(".retry[autofocus]") ?? rest);
  });
});

document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
  if (ctx?.request?.method !== "POST") return;
  const { sourceElement } = ctx;
  if (sourceElement instanceof HTMLFormElement && sourceElement.matches("#composer")) {
    setError(sourceElement, NO_CONNECTION);
  } else showToast(NOT_REACHED);
});

document.addEventListener("keydown", (event) => {
  const form = composerForm();
  if (!form || !(event.target instanceof HTMLTextAreaElement) || event.target.form !== form) return;
  if (event.key !== "Enter") return;
  // In an open list Enter chooses, and never sends.
  if (event.target.hasAttribute("aria-controls")) event.preventDefault();
  if (event.defaultPrevented) return;
  if (event.altKey) return;
  const marksDone = event.shiftKey && (event.ctrlKey || event.metaKey);
  if (marksDone) {
    event.preventDefault();
    if (!isInternal(form)) pressSend(form, { marksDone });
    return;
  }
  if (event.shiftKey) return;
  if (coarse.matches && !event.ctrlKey && !event.metaKey) return;
  event.preventDefault();
  pressSend(form);
});

document.addEventListener("input", (event) => {
  const form = composerForm();
  if (!form || !(event.target instanceof HTMLTextAreaElement) || event.target.form !== form) return;
  fitBox(event.target);
  measureText(form);
  setError(form, "");
  touchDraft(form);
});

// The button takes no focus away from the box: phones would fold their keyboard.
document.addEventListener("mousedown", (event) => {
  if (!(event.target instanceof Element)) return;
  const box = document.querySelector(".box");
  if (event.target.closest(".send, .send-done, .eye, .attach")) event.preventDefault();
  else if (box?.contains(event.target) && !event.target.closest("textarea, button, a")) {
    event.preventDefault();
    textBox(box).focus();
  }
});

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  if (isNavigation(ctx)) openComposer();
});

/** Takes back what was said about the text: it is another one now, or goes elsewhere. */
function forgetError() {
  const form = composerForm();
  if (form) setError(form, "");
}

listen("attachmentsChanged", forgetError);

listen("modeChanged", () => {
  const form = composerForm();
  if (form) measureText(form);
  forgetError();
});

// "Not sent" is about a line that works again; the text is still in the box.
listen("connectionOpened", () => {
  const error = composerForm()?.querySelector("[data-error]")?.textContent ?? "";
  if (error === NO_CONNECTION || error === SIGNED_OUT) forgetError();
  withdrawToast(NOT_REACHED);
});

listen("draftReplaced", () => {
  const form = composerForm();
  if (!form) return;
  fitBox(textBox(form));
  measureText(form);
  setError(form, "");
});

openComposer();
