// Shows what the server pushes while no page is in view, and opens it when it is clicked.

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => event.waitUntil(show(event)));

async function show(event) {
  const words = event.data?.json() ?? {};
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  // A page in view tells of it by itself.
  if (words.tag !== "test" && pages.some((page) => page.visibilityState === "visible")) return;
  await self.registration.showNotification(words.title ?? "Partyline", {
    body: words.body ?? "",
    tag: words.tag,
    data: { url: words.url ?? "/notifications/" },
  });
}

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data?.url ?? "/notifications/"));
});

async function open(path) {
  const url = new URL(path, self.location.origin).href;
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  for (const page of pages) {
    try {
      await page.focus();
      await page.navigate(url);
      return;
    } catch {
      // One that this worker does not look after cannot be led; another one or a new one can.
    }
  }
  await self.clients.openWindow(url);
}
