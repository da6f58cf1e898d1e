// The region *Details*: beside the conversation where there is room, else a sheet over it.
import { closestTarget, focus } from "../shared/dom.js";
import { listen } from "../shared/events.js";
import "./contact-facts.js";

/** The style sheets use the same words. */
const wide = matchMedia("(min-width: 1280px)");
/** The server draws the page with what this says, so that nothing jumps. */
const COOKIE = "details";
const YEAR_SECONDS = 365 * 24 * 3600;

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

/** @param {boolean} isClosed */
function rememberClosed(isClosed) {
  detailsElement()?.classList.toggle("is-closed", isClosed);
  const value = isClosed ? "closed" : "open";
  document.cookie = `${COOKIE}=${value}; path=/; max-age=${YEAR_SECONDS}; samesite=lax`;
  showState();
}

document.addEventListener("click", (event) => {
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

listen("viewChanged", showState);
showState();
