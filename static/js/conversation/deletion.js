// Deleting a thread, and the button that undoes it; marking it unread. Both leave the conversation.
// Blocking its contact, which stays in it.
import { click, closestTarget, focus, parseHtml } from "../shared/dom.js";
import { listen } from "../shared/events.js";
import { isNarrow, openThread } from "../shared/page-elements.js";
import { hideToast, showOffer } from "../shared/toasts.js";
import { newestMessageId } from "./newest-message.js";

/** Whether the keyboard was used to delete: then the button that undoes it gets the focus. */
let isByKeyboard = false;
/** Whether that button is there and did not get the focus yet. */
let isOffering = false;

/** Goes back to the list by the page's own link. */
function leaveThread() {
  const thread = openThread();
  if (!thread || "leaving" in thread.dataset) return;
  thread.dataset.leaving = "";
  click(thread.querySelector("[data-back]"));
}

function focusUndo() {
  if (!isOffering || !isByKeyboard) return;
  isOffering = false;
  focus(document.querySelector("#notice [data-undo]"));
}

/** Notes the newest message on the button: a text that comes unseen keeps the thread. */
function noteNewestMessage() {
  const button = document.querySelector("#options [data-delete]");
  if (!(button instanceof HTMLButtonElement)) return;
  const shown = Math.max(Number(button.value), newestMessageId());
  if (button.value !== String(shown)) button.value = String(shown);
}

listen("fragmentsChanged", noteNewestMessage);
listen("viewChanged", () => {
  noteNewestMessage();
  focusUndo();
});

document.addEventListener("click", (event) => {
  if (closestTarget(event, "[data-delete]")) isByKeyboard = event.detail === 0;
});

document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
  const isDone = ctx.response.status < 300 && !ctx.response.raw.redirected;
  if (!isDone) return;
  // The answer tells a block: its button may be the one that unblocks by now.
  const offer =
    ctx.text.includes("data-offer") && parseHtml(ctx.text).querySelector("[data-offer]");
  if (offer) showOffer(offer.innerHTML);
  else if (ctx.sourceElement.matches("[data-delete]")) {
    showOffer(ctx.text);
    isOffering = true;
    if (openThread()) leaveThread();
    else focusUndo();
  } else if (ctx.sourceElement.matches("[data-undo]")) {
    const hadFocus = ctx.sourceElement.matches(":focus");
    hideToast();
    if (hadFocus) focus(document.querySelector(".listing h1"));
  } else if (ctx.sourceElement.matches("[data-unread]") && isNarrow()) leaveThread();
});

// A thread that was deleted in another tab has nothing more to show. One that was opened although
// it is hidden stays.
listen("hidden", (hidden) => {
  const thread = openThread();
  const upTo = hidden[thread?.dataset.thread ?? ""];
  if (!thread || upTo === undefined || String(upTo) === thread.dataset.hidden) return;
  thread.dataset.hidden = String(upTo);
  if (upTo) leaveThread();
});
