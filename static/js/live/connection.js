// The page's one socket: tells the server what is in view, hands out what comes, and notices when
// the line is dead.
import { renewCsrfToken } from "../shared/csrf.js";
import { announce, listen } from "../shared/events.js";
import { lastLoadedKey, liveElement } from "../shared/page-elements.js";
import { insertFragments, removeFragments } from "./fragments.js";

/** @typedef {import("../shared/events.js").View} View */
/** @typedef {import("../shared/events.js").ServerEvents} ServerEvents */

/**
 * One message from the server. Its other parts are events of their names.
 * @typedef {object} OwnParts
 * @property {Record<string, number>} [seqs] the change counters that it brings the page up to
 * @property {string} [rows] fragments
 * @property {string[]} [gone] ids of elements that the agent may not see any more
 * @property {string} [go] an address to load instead of this page
 */
/** @typedef {OwnParts & Partial<ServerEvents>} Frame */

const OWN_PARTS = ["beat", "seqs", "rows", "gone", "go"];

/** Milliseconds without a word from the server after which the line counts as dead. */
const SILENCE_MS = 9_000;
const FIRST_DELAY_MS = 400;
const LONGEST_DELAY_MS = 8_000;
/** Milliseconds in which the server answers, or is not there. */
const PROBE_MS = 5_000;
/** A line that is back this soon is not worth a word on the page. */
const PATIENCE_MS = 1_500;
const SIGNED_OUT = 4401;
const NEEDS_SECOND_STEP = 4402;
const TOO_MANY_PAGES = 4430;
const OFFLINE = "Offline, reconnecting…";
const CROWDED = "Too many tabs are open. Close some, and this one will connect.";

/** @type {View} */
let view = { list: "top", only: "", thread: null, seqs: {}, until: "" };
/** The view in the connection's address: if it changes before the line is open, it is sent then. */
let announcedView = view;
/** @type {HtmxConnection | null} */
let connection = null;
/** Why the line is down, in words for the page. */
let trouble = OFFLINE;
let isOpen = false;
let heardAt = Date.now();
/** Whether this connection has brought anything, so that it was one of a signed-in agent. */
let hasHeard = false;
let attempts = 0;
/** Whether the agent is signed out: no attempt makes sense any more. */
let isOver = false;
/** Whether another page is on its way instead of this one, however long it takes. */
let isLeaving = false;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let reconnecting;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let complaining;

const banner = () => document.getElementById("connection");

/**
 * Returns whether the page shows what a change counter counts.
 * @param {string} key
 */
const concerns = (key) =>
  (key[0] === "i" && view.list === "top") ||
  key[0] === "a" ||
  key === `l${view.list}` ||
  key === `t${view.thread}`;

/** @param {string} [words] */
function showTrouble(words = trouble) {
  const element = banner();
  document.documentElement.dataset.connection = "offline";
  if (!element || element.textContent === words) return;
  element.textContent = words;
  element.hidden = false;
}

function hideTrouble() {
  trouble = OFFLINE;
  clearTimeout(complaining);
  complaining = undefined;
  document.documentElement.dataset.connection = "online";
  const element = banner();
  if (!element) return;
  element.hidden = true;
  element.textContent = "";
}

/**
 * Makes a new connection by a new element: the extension has no other way to begin anew at once.
 * The markup asks for none, since htmx may be ready before this module is, and the server would
 * never hear what such a connection's page shows.
 */
function connect() {
  clearTimeout(reconnecting);
  reconnecting = undefined;
  const old = liveElement();
  if (!old || isOver || isLeaving) return;
  const fresh = /** @type {HTMLElement} */ (old.cloneNode(false));
  fresh.setAttribute("hx-ws:connect", "/live/");
  const dead = connection?.socket;
  connection = null;
  isOpen = hasHeard = false;
  heardAt = Date.now();
  old.replaceWith(fresh);
  if (dead && dead.readyState <= WebSocket.OPEN) dead.close();
  window.htmx?.process(fresh);
}

/** Waits longer from attempt to attempt, and not as long as other pages do. */
function reconnectSoon() {
  isOpen = false;
  if (isOver || isLeaving || reconnecting) return;
  complaining ??= setTimeout(showTrouble, PATIENCE_MS);
  const longest = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempts);
  attempts += 1;
  reconnecting = setTimeout(tryAgain, longest * (0.5 + Math.random() / 2));
}

/**
 * Connects again. After a first failure it asks by an ordinary request whether the server is there:
 * Firefox holds back a socket the longer, the more of them have failed before, up to a minute.
 */
async function tryAgain() {
  const mine = reconnecting;
  const isReachable = attempts < 2 || (await canReachServer());
  // Meanwhile something else may have connected, or begun to wait.
  if (reconnecting !== mine) return;
  if (isReachable) {
    connect();
    return;
  }
  reconnecting = undefined;
  reconnectSoon();
}

async function canReachServer() {
  try {
    const signal = AbortSignal.timeout(PROBE_MS);
    return (await fetch("/healthz", { cache: "no-store", signal })).ok;
  } catch {
    return false;
  }
}

/**
 * Says that the page gets nothing more until its agent has done something.
 * @param {string} words
 * @param {string} way the words of the link that leads to it
 */
function showEnd(words, way) {
  isOver = true;
  clearTimeout(complaining);
  showTrouble(words);
  banner()?.classList.add("is-final");
  const link = document.createElement("a");
  link.href = location.href;
  link.textContent = way;
  banner()?.append(link);
}

/**
 * Leaves what the agent may not see any more: nothing of it is shown until the next page comes.
 * @param {string} address
 * @param {string[]} gone
 */
function leave(address, gone) {
  isLeaving = true;
  announce("accessLost");
  removeFragments(gone);
  location.assign(address);
}

/** @param {Frame} frame */
function takeFrame(frame) {
  if (isLeaving) return;
  for (const [name, part] of Object.entries(frame)) {
    if (OWN_PARTS.includes(name)) continue;
    // @ts-expect-error A part has the type that its name says; in a loop the two come apart.
    announce(name, part);
  }
  if (frame.go) {
    leave(frame.go, frame.gone ?? []);
    return;
  }
  if (frame.gone) removeFragments(frame.gone);
  if (frame.rows) insertFragments(frame.rows);
  for (const [key, seq] of Object.entries(frame.seqs ?? {})) {
    if (concerns(key)) view.seqs[key] = Math.max(view.seqs[key] ?? 0, seq);
  }
}

/**
 * Sends something to the server, if the line is open: nothing is queued, since it is about now.
 * @param {View | {here: object} | {gone: {thread: number}}} message
 */
export function sendToServer(message) {
  const socket = isOpen ? connection?.socket : null;
  // The socket of a page that is being left is closed already, without an event.
  if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

listen("viewChanged", (changed) => {
  view = changed;
  sendToServer(view);
  if (!isOpen && !connection && !reconnecting) connect();
});

/**
 * A request for further rows, and the counters when it began. Of many changes at once the server
 * sends only those of loaded rows, so these rows may lack what changed since.
 * @type {{request: object, seqs: Record<string, number>} | null}
 */
let furtherRows = null;

document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  if (!ctx.sourceElement.closest(".rows > .more")) return;
  furtherRows = { request: ctx, seqs: { ...view.seqs } };
});

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  // The link itself is gone by now.
  if (ctx !== furtherRows?.request) return;
  view = { ...view, seqs: furtherRows.seqs, until: lastLoadedKey() };
  furtherRows = null;
  sendToServer(view);
});

document.addEventListener("htmx:ws:before:connection", ({ detail }) => {
  connection = detail.connection;
  const url = new URL("/live/", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.searchParams.set("look", JSON.stringify(view));
  announcedView = view;
  connection.url = url.href;
  heardAt = Date.now();
});

document.addEventListener("htmx:ws:after:connection", ({ detail }) => {
  connection = detail.connection;
  document.documentElement.dataset.connection ??= "online";
  isOpen = true;
  heardAt = Date.now();
  if (view !== announcedView) sendToServer(view);
  announce("connectionOpened");
});

document.addEventListener("htmx:ws:before:message:incoming", ({ detail }) => {
  // Frames are ours to read, not the extension's.
  detail.cancelled = true;
  if (detail.connection !== connection) return;
  heardAt = Date.now();
  attempts = 0;
  hasHeard = true;
  hideTrouble();
  takeFrame(JSON.parse(detail.message.data));
});

document.addEventListener("htmx:ws:close", ({ detail }) => {
  if (detail.connection !== connection || detail.code === null) return;
  if (detail.code === SIGNED_OUT) {
    // A new password closes all lines of the agent. The session in which it was chosen goes on.
    if (hasHeard) reconnectSoon();
    else showEnd("You're signed out. ", "Sign in again");
    return;
  }
  if (detail.code === NEEDS_SECOND_STEP) {
    showEnd("Partyline asks for a second step now. ", "Continue");
    return;
  }
  if (detail.code === TOO_MANY_PAGES) {
    trouble = CROWDED;
    showTrouble();
  }
  reconnectSoon();
});

setInterval(() => {
  if (isOver || isLeaving || reconnecting || Date.now() - heardAt < SILENCE_MS) return;
  showTrouble();
  reconnectSoon();
}, 500);

// A page that comes back from the browser's cache has a closed socket, without an event.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  isLeaving = false;
  connect();
});

window.addEventListener("online", () => {
  attempts = 0;
  if (!isOpen) connect();
});

document.addEventListener("visibilitychange", async () => {
  if (document.hidden) return;
  if (!isOpen && reconnecting) connect();
  // What was typed is in the tab's storage, and comes back.
  if (isOver && (await renewCsrfToken())) location.reload();
});
