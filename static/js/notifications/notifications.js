// What the server notifies of: the unread count, browser notifications by one tab for all, a sound,
// the open list of notifications.
import { insertFragments } from "../live/fragments.js";
import { parseHtml } from "../shared/dom.js";
import { listen } from "../shared/events.js";
import { liveElement } from "../shared/page-elements.js";
import { fetchHtml } from "../shared/requests.js";
import { isInFront, recall, remember, threadInFront } from "./tabs-in-front.js";
import { setUnreadCount } from "./unread-count.js";

/** @typedef {import("../shared/events.js").Notification} PartylineNotification */

/** Milliseconds for which a tab keeps the lock, so that no other tells of the same. */
const LOCK_MS = 5_000;
/** Milliseconds in which several changes of the list are one. */
const REFRESH_AFTER_MS = 150;
const TOLD = "partyline.told";
const MOST_TOLD = 200;
const MOST_POPUPS = 3;

const canPopUp = () => window.Notification?.permission === "granted";
const hasSound = () => liveElement()?.hasAttribute("data-sound") ?? false;

/**
 * Returns false for a notification that some tab has told of already; else it counts as told.
 * @param {PartylineNotification} notification
 */
function markTold(notification) {
  const told = recall(TOLD) ?? [];
  if (told.includes(notification.id)) return false;
  remember(TOLD, [...told, notification.id].slice(-MOST_TOLD));
  return true;
}

/**
 * Tells of notifications, unless another tab does: the one that gets the lock keeps it until the
 * others have heard of the same.
 * @param {PartylineNotification[]} notifications
 */
function tellOnce(notifications) {
  const lockName = `partyline:${liveElement()?.dataset.agent}:${notifications.at(-1)?.id}`;
  const tellFresh = () => {
    const fresh = notifications.filter(markTold);
    if (fresh.length) showNotifications(fresh);
    return fresh.length > 0;
  };
  if (!navigator.locks) {
    tellFresh();
    return;
  }
  navigator.locks.request(lockName, { ifAvailable: true }, async (lock) => {
    if (lock && tellFresh()) await new Promise((resolve) => setTimeout(resolve, LOCK_MS));
  });
}

/** @param {PartylineNotification[]} notifications */
function showNotifications(notifications) {
  if (hasSound()) playSound();
  if (!canPopUp()) return;
  const last = notifications.at(-1);
  if (last && notifications.length > MOST_POPUPS) {
    const title = `${notifications.length} new notifications`;
    showPopup({ ...last, title, url: "/notifications/", tag: "several" });
  } else notifications.forEach(showPopup);
}

/** @param {PartylineNotification} notification */
async function showPopup({ title, body, url, tag, at }) {
  const options = /** @type {NotificationOptions} */ ({ body, tag, timestamp: at, data: { url } });
  // Through a service worker, a push of the same tag replaces it, and phones show nothing without.
  const worker = await navigator.serviceWorker?.getRegistration?.("/").catch(() => undefined);
  if (worker?.active) {
    await worker.showNotification(title, options);
    return;
  }
  try {
    const shown = new Notification(title, options);
    shown.onclick = () => {
      window.focus();
      shown.close();
      location.assign(url);
    };
  } catch (error) {
    // A phone: without a service worker there is no way.
    if (!(error instanceof TypeError)) throw error;
  }
}

/** @type {AudioContext | undefined} */
let audio;

/** Plays two soft tones. A browser that wants a click on the page first stays silent until then. */
function playSound() {
  const context = (audio ??= new AudioContext());
  context.resume();
  const start = context.currentTime + 0.02;
  [660, 880].forEach((pitch, index) => {
    const tone = context.createOscillator();
    const volume = context.createGain();
    const at = start + index * 0.12;
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(0.12, at + 0.01);
    volume.gain.exponentialRampToValueAtTime(0.001, at + 0.25);
    tone.connect(volume).connect(context.destination);
    tone.start(at);
    tone.stop(at + 0.26);
  });
}

// The settings page asks for permission; elsewhere only a permission that was given is renewed.
if (document.querySelector("[data-permission]") || canPopUp()) {
  import("./web-push.js").catch(() => {});
}

listen("notices", ({ unread, new: fresh }) => {
  // What is in view is as good as read: the page says so to the server a moment later.
  const seen = fresh.filter((notification) => threadInFront() === notification.thread);
  setUnreadCount(unread - seen.length);
  const unseen = fresh.filter((notification) => !isInFront(notification.thread));
  if (unseen.length && (canPopUp() || hasSound())) tellOnce(unseen);
  refreshListSoon();
});

// The open list of notifications

/** @type {ReturnType<typeof setTimeout> | undefined} */
let refreshing;

/** Reads the first rows again; those further down follow from them. */
function refreshListSoon() {
  const list = document.getElementById("list-notices");
  if (!list || refreshing) return;
  refreshing = setTimeout(async () => {
    refreshing = undefined;
    // Offline, the next frame asks again.
    const html = await fetchHtml(list.dataset.rows ?? "", { headers: { "HX-Request": "true" } });
    if (html !== null && list.isConnected) updateList(list, html);
  }, REFRESH_AFTER_MS);
}

/**
 * @param {HTMLElement} list
 * @param {string} html the first rows
 */
function updateList(list, html) {
  const fresh = parseHtml(html);
  const rows = [...fresh.querySelectorAll(".row")];
  insertFragments(html);
  const unread = new Set(rows.filter((row) => row.matches(".unread")).map((row) => row.id));
  // Unread ones come first: with a read one among the rows, no other is unread.
  if (rows.length === unread.size && fresh.querySelector(".more")) return;
  for (const row of list.querySelectorAll(".row.unread")) {
    if (unread.has(row.id)) continue;
    row.classList.remove("unread");
    row.querySelector(".row-unread")?.replaceChildren();
    row.querySelector(".notice-read")?.remove();
  }
  const readAll = document.querySelector("[data-all-read]");
  if (readAll instanceof HTMLElement) readAll.hidden = unread.size === 0;
}

document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
  if (ctx.sourceElement.closest(".notice-read, [data-all-read]")) refreshListSoon();
});
