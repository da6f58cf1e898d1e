// The box: grows, sends, and never loses what was typed.
import { renewToken } from "../shared/csrf.js";
import { forgetDraft, openDraft, touchDraft } from "./drafts.js";
import { ask, settleGuard } from "./send-guard.js";
import { isInternal, setMode } from "./internal-mode.js";
import { tell } from "../shared/toasts.js";
import { place } from "../live/fragments.js";
import { showNewest } from "../conversation/history.js";
import { showSegments } from "./segments.js";

const NOT_SENT = "Not sent. The server could not be reached; your text is kept.";
/** Milliseconds after a text was taken in which nothing more is the rest of a double click. */
const ECHO = 500;
let takenAt = -ECHO;
const coarse = matchMedia("(pointer: coarse)");

/** @returns {HTMLFormElement | null} */
const form = () => document.querySelector("#composer");

/**
 * @param {ParentNode} of
 * @returns {HTMLTextAreaElement | null}
 */
const boxOf = (of) => of.querySelector("textarea[name=body]");

/** @param {HTMLTextAreaElement} box */
function fit(box) {
  if (CSS.supports("field-sizing", "content")) return;
  box.rows = 1;
  const line = Number.parseFloat(getComputedStyle(box).lineHeight);
  box.rows = Math.min(8, Math.max(1, Math.round((box.scrollHeight - 18) / line)));
}

/** @param {HTMLFormElement} of */
function count(of) {
  showSegments(of, boxOf(of)?.value ?? "");
  const left = of.querySelector("[data-left]");
  const limit = Number(isInternal(of) ? of.dataset.teamLimit : of.dataset.limit);
  if (!(left instanceof HTMLElement) || !limit) return;
  const length = [...(boxOf(of)?.value.trim() ?? "")].length;
  left.hidden = length <= limit * 0.9;
  left.textContent = length > limit ? `${length - limit} too many` : `${limit - length} left`;
  left.classList.toggle("over", length > limit);
}

/**
 * @param {HTMLFormElement} of
 * @param {string} sentence empty: nothing is wrong
 */
function setError(of, sentence) {
  const error = of.querySelector("[data-error]");
  if (error && error.textContent !== sentence) error.textContent = sentence;
  if (sentence) boxOf(of)?.setAttribute("aria-invalid", "true");
  else boxOf(of)?.removeAttribute("aria-invalid");
}

/** Readies the box of a conversation that was just opened. */
export function openComposer() {
  const now = form();
  const box = now && boxOf(now);
  if (!now || !box) return;
  openDraft(now);
  fit(box);
  count(now);
}

/**
 * @param {HTMLFormElement} of
 * @param {ParentNode} answer
 */
function takeKey(of, answer) {
  const fresh = answer.querySelector("[name=form_key]");
  const mine = of.querySelector("[name=form_key]");
  if (fresh instanceof HTMLInputElement && mine instanceof HTMLInputElement) {
    mine.value = fresh.value;
  }
}

/** @param {string} html */
function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

/**
 * @param {HTMLFormElement} of
 * @param {URLSearchParams} request what was sent
 * @param {string} html
 */
function accepted(of, request, html) {
  const sent = request.get("body");
  const wasInternal = request.get("is_internal") === "true";
  const answer = parse(html);
  takeKey(of, answer);
  setError(of, "");
  takenAt = performance.now();
  const box = boxOf(of);
  if (box && box.value === sent) {
    /** @type {any} */ (box.closest("text-expander"))?.dismiss?.();
    box.value = "";
    fit(box);
  }
  count(of);
  const attachments = request.getAll("attachment");
  document.dispatchEvent(new CustomEvent("partyline:sent", { detail: { attachments } }));
  const message = answer.querySelector(".message");
  // The server decided: somebody was mentioned whom this page did not know of.
  const isNowInternal = Boolean(message?.classList.contains("internal"));
  if (isNowInternal && !wasInternal) setMode(of, true);
  const seq = answer.querySelector("[name=draft_seq]");
  forgetDraft(of, seq instanceof HTMLInputElement ? Number(seq.value) : 0, isNowInternal);
  const planned = answer.querySelector(".later-text");
  if (planned) place(planned.outerHTML);
  if (!message) return;
  place(message.outerHTML);
  showNewest();
}

/**
 * @param {HTMLFormElement} of
 * @param {string} html
 */
function refused(of, html) {
  const answer = parse(html);
  const fresh = answer.querySelector("form");
  if (!fresh || "onlyInternal" in fresh.dataset !== "onlyInternal" in of.dataset) {
    const reply = answer.querySelector("#reply");
    if (!reply) return;
    of.closest("#reply")?.replaceWith(reply);
    window.htmx?.process(reply);
    openComposer();
    return;
  }
  takeKey(of, answer);
  document.dispatchEvent(new CustomEvent("partyline:refused"));
  setError(of, answer.querySelector("[data-error]")?.textContent?.trim() ?? NOT_SENT);
  boxOf(of)?.focus();
}

/** @param {HTMLFormElement} of */
async function forbidden(of) {
  const isSignedIn = await renewToken();
  setError(
    of,
    isSignedIn
      ? "Not sent. Your session had changed; your text is kept. Send it again."
      : "Not sent. You are signed out; your text is kept. Sign in in another tab, then send again.",
  );
}

/**
 * @param {HTMLFormElement} of
 * @param {any} ctx
 */
function answered(of, ctx) {
  const { raw, status } = ctx.response;
  if (status === 409) {
    ask(of, ctx.text);
    return;
  }
  settleGuard(of);
  if (status === 422) refused(of, ctx.text);
  else if (status === 403 || raw.redirected) forbidden(of);
  else if (status === 404) setError(of, "Not sent. This conversation is no longer open to you.");
  else if (status >= 400) setError(of, NOT_SENT);
  else accepted(of, new URLSearchParams(ctx.request.body), ctx.text);
}

document.addEventListener("htmx:before:request", (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  const isEcho = performance.now() - takenAt < ECHO && ctx.sourceElement.matches("#composer");
  if (isEcho && !boxOf(ctx.sourceElement)?.value) event.preventDefault();
});

document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  const source = ctx.sourceElement;
  if (ctx.request.method !== "POST") return;
  event.preventDefault();
  if (source.matches("#composer")) answered(source, ctx);
  else if (ctx.response.status === 422) tell(ctx.text);
  else if (ctx.response.status >= 400 || ctx.response.raw.redirected) {
    tell("That was not done. Load the page again, then repeat it.");
  } else if (ctx.text.includes("data-in=")) place(ctx.text);
});

document.addEventListener("htmx:error", (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  if (ctx?.request?.method !== "POST") return;
  if (ctx.sourceElement.matches("#composer")) setError(ctx.sourceElement, NOT_SENT);
  else tell("That was not done. The server could not be reached; try again.");
});

document.addEventListener("keydown", (event) => {
  if (!(event.target instanceof HTMLTextAreaElement) || !event.target.form) return;
  if (event.target.form !== form() || event.key !== "Enter" || event.isComposing) return;
  // In the open menu Enter chooses, and never sends.
  if (document.querySelector("#mention-menu")) event.preventDefault();
  if (event.defaultPrevented) return;
  if (event.shiftKey || event.altKey || (coarse.matches && !event.ctrlKey && !event.metaKey)) return;
  event.preventDefault();
  // A click on the button while it is disabled does nothing: one message at a time.
  const send = event.target.form.querySelector(".send");
  if (send instanceof HTMLButtonElement) send.click();
});

document.addEventListener("input", (event) => {
  const now = form();
  if (!now || !(event.target instanceof HTMLTextAreaElement) || event.target.form !== now) return;
  fit(event.target);
  count(now);
  setError(now, "");
  touchDraft(now);
});

// The button takes no focus away from the box: phones would fold their keyboard.
document.addEventListener("mousedown", (event) => {
  if (!(event.target instanceof Element)) return;
  const box = document.querySelector(".box");
  if (event.target.closest(".send, .eye, .attach")) event.preventDefault();
  else if (box?.contains(event.target) && !event.target.closest("textarea, button, a")) {
    event.preventDefault();
    boxOf(box)?.focus();
  }
});

document.addEventListener("htmx:after:swap", (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  if (["panes", "conversation"].includes(ctx.target?.id)) openComposer();
});

document.addEventListener("partyline:mode", () => {
  const now = form();
  if (now) count(now);
});

// What another tab wrote, or what was already sent.
document.addEventListener("partyline:drafted", () => {
  const now = form();
  const box = now && boxOf(now);
  if (!box) return;
  fit(box);
  count(now);
  setError(now, "");
});

openComposer();
