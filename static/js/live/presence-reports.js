// Tells the server that somebody looks at the open thread, and when they type there.
import { isInternal } from "../composer/internal-mode.js";
import { closestTarget } from "../shared/dom.js";
import { listen } from "../shared/events.js";
import { composerForm, openThreadKey } from "../shared/page-elements.js";
import { sendToServer } from "./connection.js";

const VIEWING_EVERY_MS = 10_000;
const TYPING_EVERY_MS = 3_000;
const TYPING_ENDS_MS = 5_000;

/**
 * The thread of which the server was told; null while nobody looks at one.
 * @type {number | null}
 */
let reported = null;
/** Whether something was written since the thread was opened: an old draft alone is no reply. */
let hasWritten = false;
let isTyping = false;
let typingReportedAt = 0;
let lastReport = "";
/** @type {ReturnType<typeof setTimeout> | undefined} */
let typingEnds;

/** @returns {HTMLTextAreaElement | null} */
const messageBox = () => document.querySelector("#composer textarea[name=body]");

function currentMode() {
  const form = composerForm();
  if (!form || !hasWritten || !messageBox()?.value) return "reading";
  return isInternal(form) ? "internal" : "replying";
}

/** @param {boolean} [always] also if nothing has changed: what the server knows expires */
function reportPresence(always = false) {
  const thread = openThreadKey();
  if (document.hidden || thread === null) {
    reportLeaving();
    return;
  }
  if (!messageBox()) stopTyping();
  const here = { thread, mode: currentMode(), is_typing: isTyping };
  const words = JSON.stringify(here);
  if (!always && words === lastReport) return;
  lastReport = words;
  reported = thread;
  if (isTyping) typingReportedAt = Date.now();
  sendToServer({ here });
}

function reportLeaving() {
  if (reported === null) return;
  stopTyping();
  sendToServer({ gone: { thread: reported } });
  reported = null;
  lastReport = "";
}

function stopTyping() {
  clearTimeout(typingEnds);
  typingEnds = undefined;
  isTyping = false;
}

function reportTypingEnded() {
  if (!isTyping) return;
  stopTyping();
  reportPresence();
}

document.addEventListener("input", (event) => {
  const target = event.target;
  if (!(target instanceof HTMLTextAreaElement) || target !== messageBox()) return;
  hasWritten = true;
  if (!target.value.trim()) {
    stopTyping();
    reportPresence();
    return;
  }
  clearTimeout(typingEnds);
  typingEnds = setTimeout(reportTypingEnded, TYPING_ENDS_MS);
  const isDue = !isTyping || Date.now() - typingReportedAt >= TYPING_EVERY_MS;
  isTyping = true;
  reportPresence(isDue);
});

document.addEventListener("focusout", (event) => {
  if (event.target === messageBox()) reportTypingEnded();
});

// What is sent is no longer being typed, whatever becomes of it.
document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  if (ctx.sourceElement === composerForm()) reportTypingEnded();
});

document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
  if (ctx.request.method === "POST") queueMicrotask(() => reported !== null && reportPresence());
});

// The switch to internal and back.
document.addEventListener("click", (event) => {
  const eye = closestTarget(event, "#composer [aria-pressed]");
  if (eye && reported !== null) queueMicrotask(() => reportPresence());
});

listen("viewChanged", () => {
  const thread = openThreadKey();
  if (thread !== reported) {
    // The server left the old thread when it heard of the new view.
    stopTyping();
    reported = null;
    hasWritten = false;
  }
  reportPresence(true);
});

// The composer may be gone, or have become one for the team alone.
listen("draftReplaced", () => reported !== null && reportPresence());

listen("connectionOpened", () => reportPresence(true));
document.addEventListener("visibilitychange", () => reportPresence());
window.addEventListener("pagehide", reportLeaving);
window.addEventListener("pageshow", (event) => {
  if (event.persisted) reportPresence(true);
});

setInterval(() => reportPresence(true), VIEWING_EVERY_MS);
