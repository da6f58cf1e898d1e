// The unread count: on the bell icon, in the title and on the page's icon.
import { listen } from "../shared/events.js";

let unread = Number(document.querySelector("[data-bell]")?.getAttribute("data-bell") ?? 0);

/** The title without the count: a number in brackets may also be part of what is open. */
let title = document.title;

function showUnreadCount() {
  const count = unread > 99 ? "99+" : String(unread);
  const label = unread ? `Notifications, ${count} unread` : "Notifications";
  for (const bell of document.querySelectorAll("[data-bell]")) {
    if (bell.getAttribute("aria-label") !== label) bell.setAttribute("aria-label", label);
    const badge = bell.querySelector(".badge");
    if (!(badge instanceof HTMLElement)) continue;
    badge.hidden = !unread;
    if (badge.textContent !== count) badge.textContent = count;
  }
  const wanted = unread ? `(${count}) ${title}` : title;
  if (document.title !== wanted) document.title = wanted;
  showIcon();
}

function showIcon() {
  const icon = document.querySelector("link[rel=icon]");
  if (!(icon instanceof HTMLLinkElement)) return;
  icon.dataset.read ??= icon.getAttribute("href") ?? "";
  const wanted = (unread ? icon.dataset.unread : icon.dataset.read) ?? "";
  if (icon.getAttribute("href") !== wanted) icon.setAttribute("href", wanted);
}

/** @param {number} count */
export function setUnreadCount(count) {
  unread = Math.max(0, count);
  showUnreadCount();
}

// A list that was just loaded brings a count as new as itself; a conversation brings none.
document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  const fresh = ctx.target?.id === "panes" && document.querySelector("[data-bell]");
  if (fresh) unread = Number(fresh.getAttribute("data-bell"));
});

listen("viewChanged", () => {
  title = document.title;
  showUnreadCount();
});
