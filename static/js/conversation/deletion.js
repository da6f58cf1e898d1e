// Deleting a thread, and the button that undoes it; marking it unread. Both leave the conversation.
import { offer, withdraw } from "../shared/toasts.js";
import { newestShown } from "./newest-message.js";

const narrow = matchMedia("(max-width: 760px)");

/** Whether the keyboard deleted: then it stands on the button that undoes it. */
let isByKeyboard = false;
let isOffering = false;

/** @returns {HTMLElement | null} */
const openThread = () => document.querySelector("article.thread");

/** Back to the list, as the page's own link does it. */
function leave() {
  const thread = openThread();
  if (!thread || "leaving" in thread.dataset) return;
  thread.dataset.leaving = "";
  const back = thread.querySelector("[data-back]");
  if (back instanceof HTMLElement) back.click();
}

function focusOffer() {
  if (!isOffering || !isByKeyboard) return;
  isOffering = false;
  const button = document.querySelector("#notice [data-undo]");
  if (button instanceof HTMLElement) button.focus({ preventScroll: true });
}

/** What was shown last stands in the button: a text that comes unseen keeps the thread. */
function noteShown() {
  const button = document.querySelector("#options [data-delete]");
  if (!(button instanceof HTMLButtonElement)) return;
  const shown = Math.max(Number(button.value), newestShown());
  if (button.value !== String(shown)) button.value = String(shown);
}

document.addEventListener("partyline:placed", noteShown);
document.addEventListener("partyline:looked", () => {
  noteShown();
  focusOffer();
});

document.addEventListener("click", (event) => {
  if (event.target instanceof Element && event.target.closest("[data-delete]")) {
    isByKeyboard = event.detail === 0;
  }
});

document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  const isDone = ctx.response.status < 300 && !ctx.response.raw.redirected;
  if (!isDone) return;
  if (ctx.sourceElement.matches("[data-delete]")) {
    offer(ctx.text);
    isOffering = true;
    if (openThread()) leave();
    else focusOffer();
  } else if (ctx.sourceElement.matches("[data-undo]")) {
    const hadFocus = ctx.sourceElement.matches(":focus");
    withdraw();
    const heading = document.querySelector(".listing h1");
    if (hadFocus && heading instanceof HTMLElement) heading.focus({ preventScroll: true });
  } else if (ctx.sourceElement.matches("[data-unread]") && narrow.matches) leave();
});

// Deleted in another tab: this one has nothing more to show. One that was opened although it is
// hidden stays.
document.addEventListener("partyline:hidden", (event) => {
  const thread = openThread();
  const hidden = /** @type {CustomEvent} */ (event).detail[thread?.dataset.thread ?? ""];
  if (!thread || hidden === undefined || String(hidden) === thread.dataset.hidden) return;
  thread.dataset.hidden = String(hidden);
  if (hidden) leave();
});
