// Send later: the hour is the agent's own, and the menu stands over its button.
import { tell } from "../shared/toasts.js";
import { formatTime } from "../shared/times.js";

const HOUR = 3_600_000;

/** @returns {HTMLElement | null} */
const menu = () => document.querySelector("#later-menu");

/** @returns {HTMLElement | null} */
const button = () => document.querySelector("#later-button");

/**
 * As `datetime-local` writes it.
 * @param {Date} at
 */
function asLocal(at) {
  const shifted = new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}

/** Says to the server in which zone the page's hours are meant, and to the person too. */
function sayZone() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!zone) return;
  for (const field of document.querySelectorAll("input[data-zone]")) {
    /** @type {HTMLInputElement} */ (field).value = zone;
  }
  for (const name of document.querySelectorAll("[data-zone-name]")) name.textContent = zone;
  for (const field of document.querySelectorAll("input[data-moment]")) {
    if (!(field instanceof HTMLInputElement)) continue;
    field.value = asLocal(new Date(Number(field.dataset.moment) * 1000));
    delete field.dataset.moment;
  }
}

/** @param {HTMLElement} shown */
function stand(shown) {
  const from = button()?.getBoundingClientRect();
  if (!from) return;
  const { clientWidth, clientHeight } = document.documentElement;
  shown.style.bottom = `${clientHeight - from.top + 6}px`;
  shown.style.right = `${Math.max(8, clientWidth - from.right - 60)}px`;
}

/** @param {HTMLElement} shown */
function ready(shown) {
  stand(shown);
  sayZone();
  const hour = shown.querySelector("input[name=at]");
  if (!(hour instanceof HTMLInputElement)) return;
  const now = new Date();
  hour.min = asLocal(now);
  if (!hour.value || hour.value < hour.min) {
    hour.value = asLocal(new Date(Math.ceil((now.getTime() + HOUR) / HOUR) * HOUR));
  }
}

// These events do not bubble.
document.addEventListener(
  "beforetoggle",
  (event) => {
    if (event.target !== menu() || /** @type {ToggleEvent} */ (event).newState !== "open") return;
    ready(/** @type {HTMLElement} */ (event.target));
  },
  true,
);

document.addEventListener(
  "toggle",
  (event) => {
    if (event.target !== menu()) return;
    const isOpen = /** @type {ToggleEvent} */ (event).newState === "open";
    button()?.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) menu()?.querySelector("button")?.focus();
  },
  true,
);

window.addEventListener("resize", () => {
  const shown = menu();
  if (shown?.matches(":popover-open")) stand(shown);
});

// Enter in the field would press the form's first button, which is another one.
document.addEventListener("keydown", (event) => {
  const target = event.target;
  if (event.key !== "Enter" || !(target instanceof HTMLInputElement)) return;
  if (!menu()?.contains(target)) return;
  event.preventDefault();
  const schedule = menu()?.querySelector("[name=later][value=at]");
  if (schedule instanceof HTMLButtonElement) schedule.click();
});

document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  if (!ctx.sourceElement.matches("#composer")) return;
  if (!new URLSearchParams(ctx.request.body).has("later")) return;
  menu()?.hidePopover();
  if (ctx.response.status !== 200) return;
  const box = document.querySelector("#message-box");
  if (box instanceof HTMLElement) box.focus({ preventScroll: true });
  const answer = document.createElement("template");
  answer.innerHTML = ctx.text;
  const time = answer.content.querySelector(".later-when time");
  if (time instanceof HTMLTimeElement) tell(`It goes: ${formatTime(new Date(time.dateTime), "hour")}.`);
});

document.addEventListener("partyline:looked", sayZone);
document.addEventListener("htmx:after:swap", sayZone);
sayZone();
