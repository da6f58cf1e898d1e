// Tells the server that somebody looks at the open thread, and when they type there.

const VIEWING_EVERY = 10_000;
const TYPING_EVERY = 3_000;
const TYPING_ENDS = 5_000;

/** The thread of which the server was told, null while nobody looks. */
/** @type {number | null} */
let told = null;
/** Whether something was written in this visit: an old draft alone is no reply. */
let hasWritten = false;
let isTyping = false;
let typingToldAt = 0;
let last = "";
/** @type {ReturnType<typeof setTimeout> | undefined} */
let stopping;

/** @returns {HTMLFormElement | null} */
const form = () => document.querySelector("#composer");

/** @returns {HTMLTextAreaElement | null} */
const box = () => document.querySelector("#composer textarea[name=body]");

/** @param {object} detail */
function say(detail) {
  document.dispatchEvent(new CustomEvent("partyline:say", { detail }));
}

function openThread() {
  const thread = document.querySelector(".thread");
  return thread instanceof HTMLElement ? Number(thread.dataset.thread) : null;
}

function mode() {
  if (!hasWritten || !box()?.value) return "reading";
  const isInternal = form()?.elements.namedItem("is_internal");
  return isInternal instanceof HTMLInputElement && isInternal.value === "true"
    ? "internal"
    : "replying";
}

/** @param {boolean} [always] also if the server knows it already: its leases run out */
function tell(always = false) {
  const thread = openThread();
  if (document.hidden || thread === null) {
    leave();
    return;
  }
  const here = { thread, mode: mode(), is_typing: isTyping };
  const words = JSON.stringify(here);
  if (!always && words === last) return;
  last = words;
  told = thread;
  if (isTyping) typingToldAt = Date.now();
  say({ here });
}

function leave() {
  if (told === null) return;
  stop();
  say({ gone: { thread: told } });
  told = null;
  last = "";
}

function stop() {
  clearTimeout(stopping);
  stopping = undefined;
  isTyping = false;
}

function stopAndTell() {
  if (!isTyping) return;
  stop();
  tell();
}

document.addEventListener("input", (event) => {
  const target = event.target;
  if (!(target instanceof HTMLTextAreaElement) || target !== box()) return;
  hasWritten = true;
  if (!target.value.trim()) {
    stop();
    tell();
    return;
  }
  clearTimeout(stopping);
  stopping = setTimeout(stopAndTell, TYPING_ENDS);
  const isDue = !isTyping || Date.now() - typingToldAt >= TYPING_EVERY;
  isTyping = true;
  tell(isDue);
});

document.addEventListener("focusout", (event) => {
  if (event.target === box()) stopAndTell();
});

// Sent: what was typed is no longer being typed, whatever becomes of it.
document.addEventListener("htmx:before:request", (event) => {
  if (/** @type {CustomEvent} */ (event).detail.ctx.sourceElement === form()) stopAndTell();
});

document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  if (ctx.request.method === "POST") queueMicrotask(() => told !== null && tell());
});

// The switch between the two modes.
document.addEventListener("click", (event) => {
  const isSwitch = event.target instanceof Element && event.target.closest("#composer [aria-pressed]");
  if (isSwitch && told !== null) queueMicrotask(tell);
});

document.addEventListener("partyline:looked", () => {
  const thread = openThread();
  if (thread !== told) {
    // The server left the old thread when it heard of the new one.
    stop();
    told = null;
    hasWritten = false;
  }
  tell(true);
});

document.addEventListener("partyline:opened", () => tell(true));
document.addEventListener("visibilitychange", () => tell());
window.addEventListener("pagehide", leave);
window.addEventListener("pageshow", (event) => {
  if (event.persisted) tell(true);
});

setInterval(() => tell(true), VIEWING_EVERY);
