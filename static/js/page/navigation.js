// Moving between lists and conversations: what is marked, focused, remembered and told.
import { hush, tell } from "../shared/toasts.js";
import { wayTo } from "./browser-history.js";

const narrow = matchMedia("(max-width: 760px)");
const NOT_OPENED = "That could not be opened. The server could not be reached; try again.";

/**
 * How far each list was scrolled, by its id.
 * @type {Map<string, number>}
 */
const scrolled = new Map();

/** @returns {HTMLElement | null} */
const listing = () => document.querySelector(".listing");

/** @returns {HTMLElement | null} */
const thread = () => document.querySelector(".thread");

/**
 * A form in the conversation's place.
 * @returns {HTMLElement | null}
 */
const pane = () => document.querySelector(".pane");

/** @returns {HTMLElement | null} */
const rows = () => document.querySelector(".rows");

/** Marks the row of what is open. */
function mark() {
  const open = thread()?.dataset.thread;
  const current = open && document.querySelector(`#thread-${open} .row-link`);
  for (const link of document.querySelectorAll(".row-link[aria-current]")) {
    if (link !== current) link.removeAttribute("aria-current");
  }
  if (current) current.setAttribute("aria-current", "page");
}

/** @param {string | undefined} text */
function parseSeqs(text) {
  try {
    return JSON.parse(text || "{}");
  } catch {
    return {};
  }
}

/** Tells the rest of the page, and through it the server, what is in view. */
export function look() {
  mark();
  setTitle();
  const list = listing()?.dataset.list ?? "top";
  const open = thread()?.dataset.thread;
  const detail = {
    list: list === "top" ? list : Number(list),
    only: listing()?.dataset.only ?? "",
    thread: open ? Number(open) : null,
    seqs: { ...parseSeqs(listing()?.dataset.seqs), ...parseSeqs(thread()?.dataset.seqs) },
  };
  document.dispatchEvent(new CustomEvent("partyline:looked", { detail }));
}

function setTitle() {
  const titles = [(thread() ?? pane())?.dataset.title, listing()?.dataset.title];
  document.title = [...titles.filter(Boolean), "Partyline"].join(" · ");
}

/** @param {Element | null | undefined} element */
function focus(element) {
  if (element instanceof HTMLElement) element.focus({ preventScroll: true });
}

/**
 * @param {HTMLElement | null} left the conversation that was open before
 * @param {string | undefined} leftList the list that was open before
 */
function setFocus(left, leftList) {
  const box = document.querySelector("#message-box");
  if (pane()) focus(pane()?.querySelector("[autofocus]") ?? document.querySelector(".pane h1"));
  else if (thread()) focus((!narrow.matches && box) || document.querySelector(".thread h1"));
  else {
    const from =
      (left && document.querySelector(`#thread-${left.dataset.thread} .row-link`)) ??
      (leftList && document.querySelector(`#inbox-${leftList} .row-link`));
    focus(from || document.querySelector(".listing h1"));
  }
}

/** @type {{thread: HTMLElement | null, list: string | undefined} | null} */
let leaving = null;

/** @param {any} ctx */
const isNavigation = (ctx) => ["panes", "conversation"].includes(ctx.target?.id);

document.addEventListener("htmx:before:request", (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  if (!isNavigation(ctx)) return;
  hush();
  ctx.target.classList.add("is-loading");
  if (ctx.sourceElement.matches(".row-thread .row-link")) {
    document.querySelector(".row-link[aria-current]")?.removeAttribute("aria-current");
    ctx.sourceElement.setAttribute("aria-current", "page");
  }
});

document.addEventListener("htmx:finally:request", (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  if (!isNavigation(ctx)) return;
  // One that was replaced by a newer one leaves the sign to it.
  if (ctx.request.signal.aborted && ctx.request.signal.reason !== "timeout") return;
  for (const pane of document.querySelectorAll(".is-loading")) pane.classList.remove("is-loading");
  mark();
});

// An answer that is no page of ours: signed out meanwhile, gone, or the server in trouble.
document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  if (ctx.request.method !== "GET") return;
  const { raw, status } = ctx.response;
  if (raw.redirected && new URL(raw.url).pathname !== ctx.request.action.split("?")[0]) {
    event.preventDefault();
    location.assign(raw.url.includes("/sign-in/") ? location.href : raw.url);
  } else if (status >= 500) {
    event.preventDefault();
    tell(NOT_OPENED);
  } else if (status >= 400) {
    event.preventDefault();
    if (isNavigation(ctx)) location.assign(ctx.request.action);
  }
});

document.addEventListener("htmx:error", (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  if (ctx?.request?.method === "GET") tell(NOT_OPENED);
});

document.addEventListener("htmx:before:swap", (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  if (!isNavigation(ctx)) return;
  const list = listing()?.dataset.list;
  const container = rows();
  // A list that a phone does not show has no place to remember.
  if (container?.clientHeight) scrolled.set(container.id, container.scrollTop);
  leaving = { thread: thread(), list };
});

document.addEventListener("htmx:after:swap", (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  if (!isNavigation(ctx) || !leaving) return;
  const isNewList = ctx.target.id === "panes";
  const container = rows();
  if (isNewList && container) container.scrollTop = scrolled.get(container.id) ?? 0;
  ctx.title = "";
  setFocus(leaving.thread, leaving.list);
  leaving = null;
  // Opened is read: the server says so too, a moment later.
  const row = document.getElementById(`thread-${thread()?.dataset.thread}`);
  row?.classList.remove("unread");
  row?.querySelector(".row-marks")?.replaceChildren();
  look();
});

// Back and forward: both panes anew, or the one that changes, out of the whole page.
document.addEventListener("htmx:before:history:restore", (event) => {
  event.preventDefault();
  const { path } = /** @type {CustomEvent} */ (event).detail;
  window.htmx?.ajax("GET", path, { ...wayTo(path), isWhole: true });
});

document.addEventListener("htmx:config:request", (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  if (ctx.isWhole) delete ctx.request.headers["HX-Request"];
});

document.addEventListener("partyline:placed", mark);

document.addEventListener("submit", (event) => {
  if (event.target instanceof Element && event.target.matches("[data-sign-out]")) {
    sessionStorage.clear();
  }
});
