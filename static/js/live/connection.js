// The page's one socket: says what is in view, places what comes, notices when the line is dead.
import { place, remove } from "./fragments.js";

/** Milliseconds without a word from the server after which the line counts as dead. */
const SILENCE = 9_000;
const FIRST_DELAY = 400;
const LONGEST_DELAY = 8_000;
/** A reconnect that is this quick is not worth a word on the page. */
const PATIENCE = 1_500;
const SIGNED_OUT = 4401;
const TOO_MANY_PAGES = 4430;
const OFFLINE = "Offline, reconnecting…";
const CROWDED = "Too many tabs are open. Close some, and this one will connect.";

/**
 * What the page shows, and the counters it is up to date with.
 * @type {{list: string | number, only: string, thread: number | null, seqs: Record<string, number>}}
 */
let shown = { list: "top", only: "", thread: null, seqs: {} };
/** What the connection's address says; whoever turns away before it is open says so afterwards. */
let told = shown;
/** @type {any} the extension's connection, null while there is none */
let connection = null;
/** Why the line is down. */
let trouble = OFFLINE;
let isOpen = false;
let heardAt = Date.now();
let attempts = 0;
let isOver = false;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let reconnecting;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let complaining;

const holder = () => /** @type {HTMLElement | null} */ (document.getElementById("live"));

/** @param {string} key */
const concerns = (key) =>
  (key[0] === "i" && shown.list === "top") ||
  key[0] === "a" ||
  key === `l${shown.list}` ||
  key === `t${shown.thread}`;

/** @param {string} [words] */
function complain(words = trouble) {
  const place = document.getElementById("connection");
  document.documentElement.dataset.connection = "offline";
  if (!place || place.textContent === words) return;
  place.textContent = words;
  place.hidden = false;
}

function rejoice() {
  trouble = OFFLINE;
  clearTimeout(complaining);
  complaining = undefined;
  const place = document.getElementById("connection");
  document.documentElement.dataset.connection = "online";
  if (!place) return;
  place.hidden = true;
  place.textContent = "";
}

/**
 * A new element is a new connection: the extension has no other way to begin anew at once. The
 * markup asks for none, since htmx may be ready before this module is, and the server would never
 * hear what such a connection's page shows.
 */
function connect() {
  clearTimeout(reconnecting);
  reconnecting = undefined;
  const old = holder();
  if (!old || isOver) return;
  const fresh = /** @type {HTMLElement} */ (old.cloneNode(false));
  fresh.setAttribute("hx-ws:connect", "/live/");
  const dead = connection?.socket;
  connection = null;
  isOpen = false;
  heardAt = Date.now();
  old.replaceWith(fresh);
  if (dead && dead.readyState <= WebSocket.OPEN) dead.close();
  window.htmx?.process(fresh);
}

function reconnectSoon() {
  isOpen = false;
  if (isOver || reconnecting) return;
  complaining ??= setTimeout(complain, PATIENCE);
  const longest = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** attempts);
  attempts += 1;
  reconnecting = setTimeout(connect, longest * (0.5 + Math.random() / 2));
}

function signedOut() {
  isOver = true;
  clearTimeout(complaining);
  complain("You are signed out. ");
  const link = document.createElement("a");
  link.href = location.href;
  link.textContent = "Sign in again";
  document.getElementById("connection")?.append(link);
}

/**
 * What this module does not know is an event of its name, for the module that does.
 * @param {{seqs?: Record<string, number>, rows?: string, gone?: string[], go?: string}} frame
 */
function take(frame) {
  for (const [name, detail] of Object.entries(frame)) {
    if (!["beat", "seqs", "rows", "gone", "go"].includes(name)) {
      document.dispatchEvent(new CustomEvent(`partyline:${name}`, { detail }));
    }
  }
  if (frame.go) {
    location.assign(frame.go);
    return;
  }
  if (frame.gone) remove(frame.gone);
  if (frame.rows) place(frame.rows);
  for (const [key, seq] of Object.entries(frame.seqs ?? {})) {
    if (concerns(key)) shown.seqs[key] = Math.max(shown.seqs[key] ?? 0, seq);
  }
}

/**
 * A page that is being left has its socket closed already, unsaid.
 * @param {unknown} what
 */
function say(what) {
  const socket = isOpen && connection?.socket;
  if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(what));
}

document.addEventListener("partyline:looked", (event) => {
  shown = /** @type {CustomEvent} */ (event).detail;
  say(shown);
  if (!isOpen && !connection && !reconnecting) connect();
});

// What other modules have to say; it is never queued, since it is about now.
document.addEventListener("partyline:say", (event) => {
  say(/** @type {CustomEvent} */ (event).detail);
});

document.addEventListener("htmx:ws:before:connection", (event) => {
  connection = /** @type {CustomEvent} */ (event).detail.connection;
  const url = new URL("/live/", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.searchParams.set("look", JSON.stringify(shown));
  told = shown;
  connection.url = url.href;
  heardAt = Date.now();
});

document.addEventListener("htmx:ws:after:connection", (event) => {
  connection = /** @type {CustomEvent} */ (event).detail.connection;
  document.documentElement.dataset.connection ??= "online";
  isOpen = true;
  heardAt = Date.now();
  if (shown !== told) say(shown);
  document.dispatchEvent(new CustomEvent("partyline:opened"));
});

document.addEventListener("htmx:ws:before:message:incoming", (event) => {
  const { detail } = /** @type {CustomEvent} */ (event);
  detail.cancelled = true;
  if (detail.connection !== connection) return;
  heardAt = Date.now();
  attempts = 0;
  rejoice();
  take(JSON.parse(detail.message.data));
});

document.addEventListener("htmx:ws:close", (event) => {
  const { detail } = /** @type {CustomEvent} */ (event);
  if (detail.connection !== connection || detail.code === null) return;
  if (detail.code === SIGNED_OUT) {
    signedOut();
    return;
  }
  if (detail.code === TOO_MANY_PAGES) {
    trouble = CROWDED;
    complain();
  }
  reconnectSoon();
});

setInterval(() => {
  if (isOver || reconnecting || Date.now() - heardAt < SILENCE) return;
  complain();
  reconnectSoon();
}, 500);

// Back from the cache of visited pages the socket is closed, and nothing says so.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) connect();
});

window.addEventListener("online", () => {
  attempts = 0;
  if (!isOpen) connect();
});

document.addEventListener("visibilitychange", () => {
  if (!document.hidden && !isOpen && reconnecting) connect();
});
