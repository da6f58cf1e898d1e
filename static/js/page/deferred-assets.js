// Scripts and styles that only some pages need, such as a conversation, are fetched when one is
// near: the first page stays light.
import { listen } from "../shared/events.js";

/** Milliseconds until the page is at rest, and has time for what may be wanted next. */
const REST_MS = 2_000;

/** @type {Map<string, () => Promise<unknown>>} by a selector of what they are for */
const waiting = new Map([
  ["#composer", () => import("../composer/mention-menu.js")],
  ["#composer [data-attach]", () => import("../composer/attachments.js")],
  [".box-text", () => import("../composer/reply-menu.js")],
  ["#reply", () => import("../composer/undo-send.js")],
  [".work", () => import("../conversation/work-menus.js")],
  ["#details", () => import("../conversation/details.js")],
  [".log", () => import("../conversation/message-times.js")],
  ["[data-until]", () => import("../composer/hours.js")],
  ["#start", () => import("../composer/new-conversation.js")],
  ["#start [data-attach]", () => import("../composer/attachments.js")],
  ["[data-zone]", () => import("../composer/scheduled-texts.js")],
  ["#contacts", () => import("../contacts/contacts.js")],
  ["[data-copy]", () => import("../admin/copy-button.js")],
  ["[data-print]", () => import("../account/printing.js")],
  ["[data-passkey]", () => import("../sign-in/passkey-forms.js")],
]);

function fetchWanted() {
  for (const [selector, load] of waiting) {
    if (!document.querySelector(selector)) continue;
    waiting.delete(selector);
    load().catch(() => waiting.set(selector, load));
  }
}

listen("viewChanged", fetchWanted);
listen("draftReplaced", fetchWanted);

// The styles are there before the first conversation, so that it does not jump.
setTimeout(() => {
  const styles = document.querySelector("template[data-soon]");
  if (styles instanceof HTMLTemplateElement) document.head.append(styles.content.cloneNode(true));
  import("./locale-report.js").catch(() => {});
}, REST_MS);
