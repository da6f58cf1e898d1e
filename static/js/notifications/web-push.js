// Web push: the permission on the settings page, and the subscription of this browser.
import { closestTarget } from "../shared/dom.js";
import { liveElement } from "../shared/page-elements.js";
import { post } from "../shared/requests.js";

/** Where the tab keeps the endpoint that the server was told of. */
const KEPT = "partyline.push";

/** @returns {HTMLButtonElement | null} */
const allowButton = () => document.querySelector("[data-allow]");

const canPush = () => "serviceWorker" in navigator && "PushManager" in window;

/** @returns {Promise<PushSubscription | null>} */
async function currentSubscription() {
  if (!canPush()) return null;
  const worker = await navigator.serviceWorker.getRegistration("/");
  return (await worker?.pushManager.getSubscription()) ?? null;
}

/**
 * Registers a subscription with the server. Rejects if that is refused.
 * @param {string} address
 * @param {PushSubscription} subscription
 */
async function sendSubscription(address, subscription) {
  const { endpoint, keys } = subscription.toJSON();
  const answer = await post(address, { endpoint: endpoint ?? "", ...keys });
  if (!answer.ok) throw new Error(`The subscription was refused: ${answer.status}`);
  sessionStorage.setItem(KEPT, endpoint ?? "");
}

/** @param {boolean} isSubscribed whether notifications arrive while no page is open */
function describePermission(isSubscribed) {
  if (!window.isSecureContext) {
    return "Notifications need an https address. Here you only get the count on the bell.";
  }
  if (!("Notification" in window)) return "This browser doesn't support notifications.";
  if (Notification.permission === "denied") {
    return (
      "This browser blocks notifications from Partyline. To allow them, click the icon next to the address, set Notifications to Allow, and " +
      "reload the page."
    );
  }
  if (Notification.permission === "default") {
    return "Notifications are off. Click Allow, and your browser will ask.";
  }
  return isSubscribed
    ? "Notifications are on in this browser, even when Partyline isn't open."
    : "Notifications are on in this browser while Partyline is open.";
}

/** @param {string} sentence empty if nothing is wrong */
function showTrouble(sentence) {
  const trouble = document.querySelector("[data-trouble]");
  if (trouble) trouble.textContent = sentence;
}

async function showPermission() {
  const status = document.querySelector("[data-permission]");
  const button = allowButton();
  if (!status || !button) return;
  const known = [...document.querySelectorAll("[data-endpoint]")].map((one) =>
    one.getAttribute("data-endpoint"),
  );
  const subscription = await currentSubscription().catch(() => null);
  const isSubscribed = subscription !== null && known.includes(subscription.endpoint);
  status.textContent = describePermission(isSubscribed);
  const permission = window.isSecureContext ? window.Notification?.permission : undefined;
  button.textContent =
    permission === "granted" ? "Notify me when Partyline is closed" : "Allow notifications";
  button.hidden =
    !(permission === "default" || (permission === "granted" && canPush() && !isSubscribed));
}

/** @param {HTMLButtonElement} button */
async function subscribe(button) {
  showTrouble("");
  if ((await Notification.requestPermission()) !== "granted" || !canPush()) {
    await showPermission();
    return;
  }
  try {
    const { key, worker, subscribe: address } = button.dataset;
    await navigator.serviceWorker.register(worker ?? "", { scope: "/" });
    const { pushManager } = await navigator.serviceWorker.ready;
    // A subscription that was made with another key of ours would be refused for ever.
    await (await pushManager.getSubscription())?.unsubscribe();
    const subscription = await pushManager.subscribe({
      userVisibleOnly: true,
      applicationServerKey: key,
    });
    await sendSubscription(address ?? "", subscription);
    location.reload();
  } catch {
    await showPermission();
    showTrouble("Couldn't set up push in this browser. It notifies you while Partyline is open.");
  }
}

document.addEventListener("click", (event) => {
  const button = closestTarget(event, "[data-allow]");
  if (button instanceof HTMLButtonElement) subscribe(button);
});

// Without a subscription a test pops up here at once; else the server pushes it.
document.addEventListener("submit", (event) => {
  if (!(event.target instanceof Element) || !event.target.matches("[data-test]")) return;
  if (window.Notification?.permission !== "granted") return;
  if (document.querySelector("[data-endpoint]")) return;
  event.preventDefault();
  new Notification("Partyline", { body: "This is what a notification looks like.", tag: "test" });
});

/** Sends the subscription after each sign-in: the server keeps it no longer than the session. */
async function renewSubscription() {
  const isAllowed = window.Notification?.permission === "granted";
  const subscription = isAllowed ? await currentSubscription() : null;
  if (!subscription || sessionStorage.getItem(KEPT) === subscription.endpoint) return;
  await sendSubscription("/settings/push/", subscription);
}

// A new password ends the subscriptions that were made with the old one: this browser renews its own.
document.addEventListener("submit", (event) => {
  if (event.target instanceof Element && event.target.matches("[data-new-password]")) {
    sessionStorage.removeItem(KEPT);
  }
});

showPermission();
if (liveElement()) renewSubscription().catch(() => {});
