// What only a conversation has a use for is fetched when one is shown: the first page stays light.

/** Milliseconds until the page has come to rest, and has time for what may be wanted next. */
const REST = 2_000;

/** @type {Map<string, () => Promise<unknown>>} by what it is for */
const waiting = new Map([
  ["#composer", () => import("../composer/attachments.js")],
  ["[data-zone]", () => import("../composer/scheduled-texts.js")],
]);

function fetchWanted() {
  for (const [selector, load] of waiting) {
    if (!document.querySelector(selector)) continue;
    waiting.delete(selector);
    load().catch(() => waiting.set(selector, load));
  }
}

document.addEventListener("partyline:looked", fetchWanted);
document.addEventListener("partyline:drafted", fetchWanted);

// Styles that come with a conversation are there before the first one, so that it does not jump.
setTimeout(() => {
  const styles = document.querySelector("template[data-soon]");
  if (styles instanceof HTMLTemplateElement) document.head.append(styles.content.cloneNode(true));
}, REST);
