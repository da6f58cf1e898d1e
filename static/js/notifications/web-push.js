// The settings page's part of the browser: permission in plain words, and web push.
import { token } from "../shared/csrf.js";

const KEPT = "partyline.push";

/** @returns {HTMLButtonElement | null} */
const allow = () => document.querySelector("[data-allow]");

const canPush = () => "serviceWorker" in navigator && "PushManager" in window;

/** @returns {Promise<PushSubscription | null>} */
async function subscription() {
  if (!canPush()) return null;
  const worker = await navigator.serviceWorker.getRegistration("/");
  return (await worker?.pushManager.getSubscription()) ?? null;
}

/**
 * @param {string} address
 * @param {PushSubscription} subscribed
 */
async function tellServer(address, subscribed) {
  const { endpoint, keys } = subscribed.toJSON();
  const answer = await fetch(address, {
    method: "POST",
    headers: { "X-CSRFToken": token() },
    body: new URLSearchParams({ endpoint: endpoint ?? "", ...keys }),
  });
  if (!answer.ok) throw new Error(`The subscription was refused: ${answer.status}`);
  sessionStorage.setItem(KEPT, endpoint ?? "");
}

/** @param {boolean} isWoken */
function words(isWoken) {
  if (!window.isSecureContext) {
    return "Notifications need an https address. Here the count on the bell is all there is.";
  }
  if (!("Notification" in window)) return "This browser knows no notifications.";
  if (Notification.permission === "denied") {
    return (
      "This browser blocks notifications from Partyline. To allow them, press the sign beside " +
      "the address, set Notifications to Allow, and load this page again."
    );
  }
  if (Notification.permission === "default") {
    return "Not allowed yet. The browser asks you once when you press the button.";
  }
  return isWoken
    ? "Notifications are allowed in this browser, also while no page of Partyline is open."
    : "Notifications are allowed in this browser while a page of Partyline is open.";
}

/** @param {string} sentence */
function complain(sentence) {
  const trouble = document.querySelector("[data-trouble]");
  if (trouble) trouble.textContent = sentence;
}

async function draw() {
  const place = document.querySelector("[data-permission]");
  const button = allow();
  if (!place || !button) return;
  const known = [...document.querySelectorAll("[data-endpoint]")].map((one) =>
    one.getAttribute("data-endpoint"),
  );
  const subscribed = await subscription().catch(() => null);
  const isWoken = subscribed !== null && known.includes(subscribed.endpoint);
  place.textContent = words(isWoken);
  const permission = window.isSecureContext ? window.Notification?.permission : undefined;
  button.textContent =
    permission === "granted" ? "Also when no page is open" : "Allow notifications";
  button.hidden =
    !(permission === "default" || (permission === "granted" && canPush() && !isWoken));
}

/** @param {HTMLButtonElement} button */
async function ask(button) {
  complain("");
  if ((await Notification.requestPermission()) !== "granted" || !canPush()) {
    await draw();
    return;
  }
  try {
    const { key, worker, subscribe } = button.dataset;
    await navigator.serviceWorker.register(worker ?? "", { scope: "/" });
    const { pushManager } = await navigator.serviceWorker.ready;
    // One made with another key of ours would be refused for ever.
    await (await pushManager.getSubscription())?.unsubscribe();
    const subscribed = await pushManager.subscribe({
      userVisibleOnly: true,
      applicationServerKey: key,
    });
    await tellServer(subscribe ?? "", subscribed);
    location.reload();
  } catch {
    await draw();
    complain("This browser could not be set up to be woken. With a page open it notifies you.");
  }
}

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element && event.target.closest("[data-allow]");
  if (button instanceof HTMLButtonElement) ask(button);
});

// A test pops up here at once, and goes out to the browsers that are woken.
document.addEventListener("submit", (event) => {
  if (!(event.target instanceof Element) || !event.target.matches("[data-test]")) return;
  if (window.Notification?.permission !== "granted") return;
  if (document.querySelector("[data-endpoint]")) return;
  event.preventDefault();
  new Notification("Partyline", { body: "This is how a notification looks.", tag: "test" });
});

// A subscription lasts as long as the session: signed in again, the browser says so.
async function renew() {
  const subscribed = window.Notification?.permission === "granted" ? await subscription() : null;
  if (!subscribed || sessionStorage.getItem(KEPT) === subscribed.endpoint) return;
  await tellServer("/settings/push/", subscribed);
}

draw();
if (document.getElementById("live")) renew().catch(() => {});
