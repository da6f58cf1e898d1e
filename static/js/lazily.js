// What only a conversation has a use for is fetched when one is shown: the first page stays light.

/** @type {Map<string, () => Promise<unknown>>} by what it is for */
const waiting = new Map([
  ["#composer", () => import("./attachments.js")],
  ["[data-zone]", () => import("./later.js")],
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
