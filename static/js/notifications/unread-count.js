// The count of what is unread: on the bell, in the title and on the page's icon.

let unread = Number(document.querySelector("[data-bell]")?.getAttribute("data-bell") ?? 0);

/** The title without the count: a number in brackets may also be the area code of what is open. */
let bare = document.title;

function draw() {
  const few = unread > 99 ? "99+" : String(unread);
  const name = unread ? `Notifications, ${few} unread` : "Notifications";
  for (const bell of document.querySelectorAll("[data-bell]")) {
    if (bell.getAttribute("aria-label") !== name) bell.setAttribute("aria-label", name);
    const badge = /** @type {HTMLElement | null} */ (bell.querySelector(".badge"));
    if (!badge) continue;
    badge.hidden = !unread;
    if (badge.textContent !== few) badge.textContent = few;
  }
  const title = unread ? `(${few}) ${bare}` : bare;
  if (document.title !== title) document.title = title;
  drawIcon();
}

function drawIcon() {
  const icon = /** @type {HTMLLinkElement | null} */ (document.querySelector("link[rel=icon]"));
  if (!icon) return;
  icon.dataset.read ??= icon.getAttribute("href") ?? "";
  const wanted = (unread ? icon.dataset.unread : icon.dataset.read) ?? "";
  if (icon.getAttribute("href") !== wanted) icon.setAttribute("href", wanted);
}

/** @param {number} count */
export function ring(count) {
  unread = Math.max(0, count);
  draw();
}

// A list that was just loaded brings a count as new as itself; a conversation brings none.
document.addEventListener("htmx:after:swap", (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  const fresh = ctx.target?.id === "panes" && document.querySelector("[data-bell]");
  if (fresh) unread = Number(fresh.getAttribute("data-bell"));
});

document.addEventListener("partyline:looked", () => {
  bare = document.title;
  draw();
});
