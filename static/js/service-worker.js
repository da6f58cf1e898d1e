// Shows what the server pushes while no page is in view, and opens it when it is clicked.

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));

worker.addEventListener("install", () => worker.skipWaiting());
worker.addEventListener("activate", (event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener("push", (event) => event.waitUntil(showNotification(event.data)));

/** @returns {Promise<readonly WindowClient[]>} all pages of ours, also those not yet controlled */
const openPages = () => worker.clients.matchAll({ type: "window", includeUncontrolled: true });

/** @param {PushMessageData | null} data */
async function showNotification(data) {
  /** @type {{title?: string, body?: string, tag?: string, url?: string, at?: number}} */
  const { title, body, tag, url, at } = data?.json() ?? {};
  const pages = await openPages();
  // A page in view shows it by itself.
  if (tag !== "test" && pages.some((page) => page.visibilityState === "visible")) return;
  const options = /** @type {NotificationOptions} */ ({
    body: body ?? "",
    tag,
    // The device words it in its own language and time zone.
    timestamp: at,
    data: { url: url ?? "/notifications/" },
  });
  await worker.registration.showNotification(title ?? "Partyline", options);
}

worker.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(openAddress(event.notification.data?.url ?? "/notifications/"));
});

/** @param {string} path */
async function openAddress(path) {
  const url = new URL(path, worker.location.origin).href;
  for (const page of await openPages()) {
    try {
      await page.focus();
      await page.navigate(url);
      return;
    } catch {
      // A page that this worker does not control cannot be navigated: try another, or open one.
    }
  }
  await worker.clients.openWindow(url);
}
