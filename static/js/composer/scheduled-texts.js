// Send later: the menu that chooses the hour, and the agent's own time zone.
import { conventions } from "../shared/conventions.js";
import { focus, parseHtml } from "../shared/dom.js";
import { listen } from "../shared/events.js";
import { hookPopoverMenu, positionAbove } from "../shared/popover-menu.js";
import { formatTime } from "../shared/times.js";
import { showToast } from "../shared/toasts.js";

const HOUR_MS = 3_600_000;
const WIDEST = 304;

/** @returns {HTMLElement | null} */
const menuElement = () => document.querySelector("#later-menu");

/** @returns {HTMLElement | null} the clock, or the plus where the composer has no room for it */
const menuButton = () => {
  const buttons = /** @type {NodeListOf<HTMLElement>} */ (
    document.querySelectorAll("#later-button, #plus-button")
  );
  return [...buttons].find((button) => button.getClientRects().length > 0) ?? null;
};

/**
 * Formats a time for a `datetime-local` field.
 * @param {Date} at
 */
function formatLocal(at) {
  const shifted = new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}

/** Tells the server in which time zone the page's hours are meant. */
function fillTimeZone() {
  for (const field of document.querySelectorAll("input[data-zone]")) {
    if (field instanceof HTMLInputElement) field.value = conventions.timeZone;
  }
  for (const field of document.querySelectorAll("input[data-moment]")) {
    if (!(field instanceof HTMLInputElement)) continue;
    field.value = formatLocal(new Date(Number(field.dataset.moment) * 1000));
    delete field.dataset.moment;
  }
}

/** @param {HTMLElement} menu */
function fillMenu(menu) {
  fillTimeZone();
  const hour = menu.querySelector("input[name=at]");
  if (!(hour instanceof HTMLInputElement)) return;
  const now = new Date();
  hour.min = formatLocal(now);
  if (!hour.value || hour.value < hour.min) {
    hour.value = formatLocal(new Date(Math.ceil((now.getTime() + HOUR_MS) / HOUR_MS) * HOUR_MS));
  }
}

hookPopoverMenu({
  menu: menuElement,
  button: menuButton,
  position: (menu, button) => positionAbove(menu, button, WIDEST),
  prepare: fillMenu,
  firstItem: () => menuElement()?.querySelector("button"),
});

// Enter in the field would press the form's first button, which is another one.
document.addEventListener("keydown", (event) => {
  const target = event.target;
  if (event.key !== "Enter" || !(target instanceof HTMLInputElement)) return;
  if (!menuElement()?.contains(target)) return;
  event.preventDefault();
  const schedule = menuElement()?.querySelector("[name=later][value=at]");
  if (schedule instanceof HTMLButtonElement) schedule.click();
});

document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
  if (!ctx.sourceElement.matches("#composer")) return;
  if (!new URLSearchParams(ctx.request.body).has("later")) return;
  menuElement()?.hidePopover();
  if (ctx.response.status !== 200) return;
  focus(document.querySelector("#message-box"));
  const time = parseHtml(ctx.text).querySelector(".later-when time");
  if (time instanceof HTMLTimeElement) {
    showToast(`Scheduled for ${formatTime(new Date(time.dateTime), "inline")}.`);
  }
});

listen("viewChanged", fillTimeZone);
document.addEventListener("htmx:after:swap", fillTimeZone);
fillTimeZone();
