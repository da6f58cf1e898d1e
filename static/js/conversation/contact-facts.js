// What Details tell of a contact, beside a conversation and on the page Contacts: their number to
// copy, and their own time in the browser's conventions.
import { closestTarget } from "../shared/dom.js";
import { listen } from "../shared/events.js";
import { formatTime } from "../shared/times.js";
import { showToast } from "../shared/toasts.js";

const MINUTE_MS = 60_000;

/**
 * Returns what a clock in another time zone shows now.
 * @param {string} timeZone
 */
function clockIn(timeZone) {
  const there = new Date().toLocaleTimeString("en-GB", { timeZone });
  return formatTime(new Date(`2000-01-01T${there}`), "bubble");
}

/**
 * Returns the time in the first zone, or from there to the last where several are possible.
 * @param {string[]} zones
 */
function wordLocalTime(zones) {
  const clocks = zones.map(clockIn);
  return clocks.length > 1 ? `${clocks[0]} to ${clocks.at(-1)}` : clocks[0];
}

/**
 * @param {Element} element
 * @param {string | undefined} words
 */
function setWords(element, words) {
  if (words && element.textContent !== words) element.textContent = words;
}

function rewriteFacts() {
  for (const element of document.querySelectorAll("[data-zones]")) {
    try {
      setWords(element, wordLocalTime((element.getAttribute("data-zones") ?? "").split(" ")));
    } catch {
      // The browser knows no such zone: the server's words stay.
    }
  }
  for (const element of document.querySelectorAll("[data-calendar-day]")) {
    const day = new Date(`${element.getAttribute("data-calendar-day")}T12:00`);
    setWords(element, formatTime(day, "date"));
  }
}

document.addEventListener("click", async (event) => {
  const copy = closestTarget(event, "[data-copy-text]");
  if (!copy) return;
  try {
    await navigator.clipboard.writeText(copy.dataset.copyText ?? "");
    showToast("Number copied.");
  } catch {
    showToast("The number can't be copied here.");
  }
});

document.addEventListener("htmx:after:swap", rewriteFacts);
listen("viewChanged", rewriteFacts);
listen("fragmentsChanged", rewriteFacts);
setInterval(rewriteFacts, MINUTE_MS);
rewriteFacts();
