// Moving between lists and conversations: what is marked, focused, remembered and announced.
import { focus } from "../shared/dom.js";
import { announce, listen } from "../shared/events.js";
import {
  isNarrow,
  isNavigation,
  lastLoadedKey,
  openListing,
  openRows,
  openThread,
} from "../shared/page-elements.js";
import { hideSentence, showToast, withdrawToast } from "../shared/toasts.js";
import { addressShown, restoreOptions } from "./browser-history.js";
import { isUnreachable } from "./network-errors.js";

const NO_CONNECTION = "Couldn't open it: no connection. Try again.";
const NOT_OPENED = "Couldn't open it. Try again.";

/**
 * How far each list was scrolled, by its id.
 * @type {Map<string, number>}
 */
const scrollTops = new Map();

/** @returns {HTMLElement | null} a form that is shown instead of a conversation */
const openPane = () => document.querySelector(".pane");

/** Marks the row of the open conversation. */
function markCurrentRow() {
  const thread = openThread()?.dataset.thread;
  const current = thread && document.querySelector(`#thread-${thread} .row-link`);
  for (const link of document.querySelectorAll(".row-link[aria-current]")) {
    if (link !== current) link.removeAttribute("aria-current");
  }
  if (current) current.setAttribute("aria-current", "page");
}

/**
 * @param {string | undefined} text
 * @returns {Record<string, number>}
 */
function parseSeqs(text) {
  try {
    return JSON.parse(text || "{}");
  } catch {
    return {};
  }
}

/** Tells the rest of the page, and through it the server, what is in view. */
export function announceView() {
  markCurrentRow();
  setTitle();
  const list = openListing()?.dataset.list ?? "top";
  const thread = openThread();
  announce("viewChanged", {
    list: list === "top" ? list : Number(list),
    only: openListing()?.dataset.only ?? "",
    thread: thread?.dataset.thread ? Number(thread.dataset.thread) : null,
    seqs: { ...parseSeqs(openListing()?.dataset.seqs), ...parseSeqs(thread?.dataset.seqs) },
    until: lastLoadedKey(),
  });
}

/** @returns {HTMLElement | null} what is open of the contacts */
const openContact = () => document.querySelector("#contact-panel > [data-title]");

function setTitle() {
  const open = openThread() ?? openContact() ?? openPane();
  const titles = [open?.dataset.title, openListing()?.dataset.title];
  document.title = [...titles.filter(Boolean), "Partyline"].join(" · ");
}

/**
 * @typedef {object} Leaving what was open before
 * @property {HTMLElement | null} thread
 * @property {string | undefined} list
 * @property {string | undefined} view what was chosen of the views, if that is what is done
 */

/** @param {Leaving} left */
function setFocus({ thread: leftThread, list: leftList, view }) {
  const box = document.querySelector("#message-box");
  if (openPane()) {
    focus(openPane()?.querySelector("[autofocus]") ?? document.querySelector(".pane h1"));
  } else if (openThread()) {
    focus((!isNarrow() && box) || document.querySelector(".thread h1"));
  } else if (view !== undefined) {
    focusView(view);
  } else {
    const row =
      (leftThread && document.querySelector(`#thread-${leftThread.dataset.thread} .row-link`)) ??
      (leftList && document.querySelector(`#inbox-${leftList} .row-link`));
    focus(row || document.querySelector(".listing h1"));
  }
}

/** Gives the focus to a conversation that a saved form led to: else keys would be shortcuts. */
export function focusLanding() {
  const [load] = performance.getEntriesByType("navigation");
  const isRedirected = load instanceof PerformanceNavigationTiming && load.redirectCount > 0;
  if (!isRedirected || !openThread() || openPane()) return;
  if (document.activeElement === document.body) setFocus({ thread: null, list: "", view: undefined });
}

/**
 * Focuses a link to a view again, or the button of the menu that it is in.
 * @param {string} view
 */
function focusView(view) {
  const link = document.querySelector(`[data-view="${CSS.escape(view)}"]`);
  focus(link?.getClientRects().length ? link : document.querySelector("#views-button"));
}

/** @type {Leaving | null} */
let leaving = null;

document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  if (!isNavigation(ctx)) return;
  hideSentence();
  ctx.target?.classList.add("is-loading");
  if (ctx.sourceElement.matches(".row-thread .row-link")) {
    document.querySelector(".row-link[aria-current]")?.removeAttribute("aria-current");
    ctx.sourceElement.setAttribute("aria-current", "page");
  }
});

document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  if (!isNavigation(ctx)) return;
  // A request that a newer one replaced leaves the mark to it.
  const { signal } = ctx.request;
  if (signal.aborted && signal.reason !== "timeout") return;
  for (const pane of document.querySelectorAll(".is-loading")) pane.classList.remove("is-loading");
  markCurrentRow();
});

// An answer that is no page of ours: signed out meanwhile, gone, or the server is in trouble.
document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  if (ctx.request.method !== "GET") return;
  const { raw, status } = ctx.response;
  if (raw.redirected && new URL(raw.url).pathname !== ctx.request.action.split("?")[0]) {
    event.preventDefault();
    location.assign(raw.url.includes("/sign-in/") ? location.href : raw.url);
  } else if (status >= 500) {
    event.preventDefault();
    showToast(isUnreachable(raw) ? NO_CONNECTION : NOT_OPENED);
  } else if (status >= 400) {
    event.preventDefault();
    if (isNavigation(ctx)) location.assign(ctx.request.action);
  }
});

document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
  if (ctx?.request?.method === "GET") showToast(NO_CONNECTION);
});

document.addEventListener("htmx:before:swap", ({ detail: { ctx } }) => {
  if (!isNavigation(ctx)) return;
  const rows = openRows();
  // A list that a phone does not show has no scroll position to remember.
  if (rows?.clientHeight) scrollTops.set(rows.id, rows.scrollTop);
  const view = /** @type {HTMLElement} */ (ctx.sourceElement).dataset.view;
  leaving = { thread: openThread(), list: openListing()?.dataset.list, view };
});

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  if (ctx.target?.id === "contact-panel") announceView();
  if (!isNavigation(ctx) || !leaving) return;
  const rows = openRows();
  if (ctx.target?.id === "panes" && rows) rows.scrollTop = scrollTops.get(rows.id) ?? 0;
  ctx.title = "";
  setFocus(leaving);
  leaving = null;
  // What is opened is read: the server says so too, a moment later.
  const row = document.getElementById(`thread-${openThread()?.dataset.thread}`);
  row?.classList.remove("unread");
  row?.querySelector(".row-unread")?.replaceChildren();
  announceView();
});

// Back and forward: both panes are drawn anew, or the one that changes, out of the whole page.
document.addEventListener("htmx:before:history:restore", (event) => {
  event.preventDefault();
  const { path } = event.detail;
  window.htmx?.ajax("GET", addressShown(path), { ...restoreOptions(path), isWhole: true });
});

document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  if (ctx.isWhole) delete ctx.request.headers["HX-Request"];
});

listen("fragmentsChanged", markCurrentRow);
listen("connectionOpened", () => withdrawToast(NO_CONNECTION));

document.addEventListener("submit", (event) => {
  if (event.target instanceof Element && event.target.matches("[data-sign-out]")) {
    sessionStorage.clear();
  }
});
