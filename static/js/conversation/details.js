// The region *Details*: beside the conversation where there is room, else a sheet over it.
import { closestTarget, focus } from "../shared/dom.js";
import { listen } from "../shared/events.js";
import { formatTime } from "../shared/times.js";
import { showToast } from "../shared/toasts.js";

/** The style sheets use the same words. */
const wide = matchMedia("(min-width: 1280px)");
/** The server draws the page with what this says, so that nothing jumps. */
const COOKIE = "details";
const YEAR_SECONDS = 365 * 24 * 3600;
const MINUTE_MS = 60_000;

/** @returns {HTMLElement | null} */
const detailsElement = () => document.querySelector("#details");

/** @returns {HTMLElement | null} */
const detailsButton = () => document.querySelector("#details-button");

const isOpen = () => {
  const details = detailsElement();
  if (!details) return false;
  return wide.matches
    ? !details.classList.contains("is-closed")
    : details.matches(":popover-open");
};

function showState() {
  detailsButton()?.setAttribute("aria-expanded", String(isOpen()));
}

/**
 * Returns what a clock in another time zone shows now.
 * @param {string} timeZone
 */
function clockIn(timeZone) {
  const there = new Date().toLocaleTimeString("en-GB", { timeZone });
  return formatTime(new Date(`2000-01-01T${there}`), "bubble");
}

/** Words days of the calendar, and the contact's own time, with the browser's conventions. */
function rewriteLocalTimes() {
  for (const words of document.querySelectorAll("[data-zones]")) {
    const zones = (words.getAttribute("data-zones") ?? "").split(" ");
    try {
      const clocks = zones.map(clockIn);
      const last = clocks.length > 1 ? ` to ${clocks.at(-1)}` : "";
      words.textContent = `${clocks[0]}${last}`;
    } catch {
      // The browser knows no such zone: the server's words stay.
    }
  }
  for (const words of document.querySelectorAll("[data-calendar-day]")) {
    const day = new Date(`${words.getAttribute("data-calendar-day")}T12:00`);
    words.textContent = formatTime(day, "date");
  }
}

/** @param {boolean} isClosed */
function rememberClosed(isClosed) {
  detailsElement()?.classList.toggle("is-closed", isClosed);
  const value = isClosed ? "closed" : "open";
  document.cookie = `${COOKIE}=${value}; path=/; max-age=${YEAR_SECONDS}; samesite=lax`;
  showState();
}

document.addEventListener("click", async (event) => {
  const copy = closestTarget(event, "[data-copy-text]");
  if (copy) {
    try {
      await navigator.clipboard.writeText(copy.dataset.copyText ?? "");
      showToast("Number copied.");
    } catch {
      showToast("The number can't be copied here.");
    }
    return;
  }
  // Beside the conversation it is no popover.
  const button = wide.matches && closestTarget(event, "[popovertarget=details]");
  if (!button) return;
  event.preventDefault();
  rememberClosed(isOpen());
  if (!isOpen()) focus(detailsButton());
});

document.addEventListener("toggle", (event) => {
  const details = detailsElement();
  if (!details || event.target !== details) return;
  showState();
  if (details.matches(":popover-open")) focus(details.querySelector("h2"));
}, true);

wide.addEventListener("change", () => {
  const details = detailsElement();
  if (wide.matches && details?.matches(":popover-open")) details.hidePopover();
  showState();
});

listen("viewChanged", () => {
  showState();
  rewriteLocalTimes();
});
listen("fragmentsChanged", rewriteLocalTimes);
setInterval(rewriteLocalTimes, MINUTE_MS);
showState();
rewriteLocalTimes();
