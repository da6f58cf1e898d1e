// What the server notifies of: the count, popups by one tab for all, a sound, the open list.
import { ring } from "./unread-count.js";
import { place } from "../live/fragments.js";
import "../conversation/scroll-to-message.js";

/** Milliseconds for which a tab keeps the word, so that no other speaks of the same. */
const HOLD = 5_000;
/** A tab in front says so this often; what is older than two of these was left without a word. */
const FRONT_EVERY = 5_000;
const TOLD = "partyline.told";
const FRONT = "partyline.front";
const MOST_POPUPS = 3;
const tab = crypto.randomUUID?.() ?? String(Math.random());

/** @typedef {{id: number, thread: number, title: string, body: string, url: string, tag: string}} Notice */

/** @returns {number | null} the thread that somebody looks at here */
function threadInFront() {
  const open = document.querySelector("article.thread")?.getAttribute("data-thread");
  return open && !document.hidden && document.hasFocus() ? Number(open) : null;
}

/**
 * @param {string} key
 * @returns {any}
 */
function recall(key) {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "null");
  } catch {
    return null;
  }
}

/**
 * @param {string} key
 * @param {unknown} value
 */
function remember(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // No room or not allowed: then each tab knows of itself alone.
  }
}

/** @param {Event} [event] */
function noteFront(event) {
  const thread = event?.type === "pagehide" ? null : threadInFront();
  if (thread !== null) remember(FRONT, { tab, thread, at: Date.now() });
  else if (recall(FRONT)?.tab === tab) remember(FRONT, null);
}

/** @param {number} thread */
function isInFront(thread) {
  if (threadInFront() === thread) return true;
  const front = recall(FRONT);
  return front?.thread === thread && Date.now() - front.at < 2 * FRONT_EVERY;
}

for (const name of ["focus", "blur", "pagehide"]) window.addEventListener(name, noteFront);
for (const name of ["visibilitychange", "partyline:looked"]) {
  document.addEventListener(name, noteFront);
}
setInterval(() => threadInFront() !== null && noteFront(), FRONT_EVERY);

/** @param {Notice} notice */
function tellOnce(notice) {
  const told = recall(TOLD) ?? [];
  if (told.includes(notice.id)) return false;
  remember(TOLD, [...told, notice.id].slice(-200));
  return true;
}

const live = () => document.getElementById("live");
const canPopUp = () => window.Notification?.permission === "granted";
const hasSound = () => live()?.hasAttribute("data-sound") ?? false;

/**
 * One tab gets the word, and keeps it until the others have heard of the same.
 * @param {Notice[]} notices
 */
function speakOnce(notices) {
  const name = `partyline:${live()?.dataset.agent}:${notices.at(-1)?.id}`;
  const speak = () => {
    const fresh = notices.filter(tellOnce);
    if (fresh.length) speakOf(fresh);
    return Boolean(fresh.length);
  };
  if (!navigator.locks) {
    speak();
    return;
  }
  navigator.locks.request(name, { ifAvailable: true }, async (lock) => {
    if (lock && speak()) await new Promise((resolve) => setTimeout(resolve, HOLD));
  });
}

/** @param {Notice[]} notices */
function speakOf(notices) {
  if (hasSound()) sound();
  if (!canPopUp()) return;
  const last = notices.at(-1);
  if (last && notices.length > MOST_POPUPS) {
    const title = `${notices.length} new notifications`;
    popUp({ ...last, title, url: "/notifications/", tag: "several" });
  } else notices.forEach(popUp);
}

/** @param {Pick<Notice, "title" | "body" | "url" | "tag">} notice */
export async function popUp({ title, body, url, tag }) {
  // With a service worker a push of the same tag takes the same place, and phones demand it.
  const worker = await navigator.serviceWorker?.getRegistration?.("/").catch(() => undefined);
  if (worker?.active) {
    await worker.showNotification(title, { body, tag, data: { url } });
    return;
  }
  try {
    const shown = new Notification(title, { body, tag });
    shown.onclick = () => {
      window.focus();
      shown.close();
      location.assign(url);
    };
  } catch (error) {
    // Phones show them through a service worker alone.
    if (!(error instanceof TypeError)) throw error;
  }
}

/** @type {AudioContext | undefined} */
let audio;

/** Two soft tones. A browser that wants a click on the page first stays silent until then. */
function sound() {
  audio ??= new AudioContext();
  audio.resume();
  const start = audio.currentTime + 0.02;
  [660, 880].forEach((pitch, index) => {
    const tone = /** @type {AudioContext} */ (audio).createOscillator();
    const volume = /** @type {AudioContext} */ (audio).createGain();
    const at = start + index * 0.12;
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(0.12, at + 0.01);
    volume.gain.exponentialRampToValueAtTime(0.001, at + 0.25);
    tone.connect(volume).connect(/** @type {AudioContext} */ (audio).destination);
    tone.start(at);
    tone.stop(at + 0.26);
  });
}

// The settings page asks for permission; elsewhere only who gave it has anything to renew.
if (document.querySelector("[data-permission]") || canPopUp()) import("./web-push.js").catch(() => {});

document.addEventListener("partyline:notices", (event) => {
  /** @type {{unread: number, new: Notice[]}} */
  const { unread, new: fresh } = /** @type {CustomEvent} */ (event).detail;
  // What is in view is as good as read: the page says so to the server a moment later.
  const seen = fresh.filter((notice) => threadInFront() === notice.thread);
  ring(unread - seen.length);
  const unseen = fresh.filter((notice) => !isInFront(notice.thread));
  if (unseen.length && (canPopUp() || hasSound())) speakOnce(unseen);
  refresh();
});

// The open list of notifications

/** @type {ReturnType<typeof setTimeout> | undefined} */
let refreshing;

/** Reads the first rows again, soon, and places them; what lies deeper follows from them. */
function refresh() {
  const list = document.getElementById("list-notices");
  if (!list || refreshing) return;
  refreshing = setTimeout(async () => {
    refreshing = undefined;
    try {
      const answer = await fetch(list.dataset.rows ?? "", { headers: { "HX-Request": "true" } });
      if (answer.ok && !answer.redirected && list.isConnected) renew(list, await answer.text());
    } catch {
      // The next frame, or the line's return, asks again.
    }
  }, 150);
}

/**
 * @param {HTMLElement} list
 * @param {string} html
 */
function renew(list, html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const rows = /** @type {HTMLElement[]} */ ([...template.content.querySelectorAll(".row")]);
  place(html);
  const unread = new Set(rows.filter((row) => row.matches(".unread")).map((row) => row.id));
  // Unread ones stand first: with a read one among the rows, no other is unread.
  if (rows.length === unread.size && template.content.querySelector(".more")) return;
  for (const row of list.querySelectorAll(".row.unread")) {
    if (unread.has(row.id)) continue;
    row.classList.remove("unread");
    row.querySelector(".row-marks")?.replaceChildren();
    row.querySelector(".notice-read")?.remove();
  }
  const all = /** @type {HTMLElement | null} */ (document.querySelector("[data-all-read]"));
  if (all) all.hidden = unread.size === 0;
}

document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  if (ctx.sourceElement?.closest?.(".notice-read, [data-all-read]")) refresh();
});
