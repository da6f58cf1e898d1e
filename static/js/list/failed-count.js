// The count on the link *Failed*, and whether there is a link at all: the sum over the list's inboxes.
import { listen } from "../shared/events.js";

/**
 * The change counter of each inbox at which its count was read last.
 * @type {Map<number, number>}
 */
const seqs = new Map();

/** @returns {HTMLElement | null} */
const failedLink = () => document.querySelector("[data-failing]");

/** @param {HTMLElement} link */
function readCounts(link) {
  /** @type {Record<string, number>} */
  const counts = JSON.parse(link.dataset.failing || "{}");
  return counts;
}

listen("failing", ({ inbox, count, seq }) => {
  const link = failedLink();
  if (!link || (seq && seq < (seqs.get(inbox) ?? 0))) return;
  seqs.set(inbox, seq);
  const counts = { ...readCounts(link), [inbox]: count };
  const sum = Object.values(counts).reduce((one, other) => one + other, 0);
  link.dataset.failing = JSON.stringify(counts);
  link.hidden = !sum && !link.hasAttribute("aria-current");
  const shown = link.querySelector("[data-failing-count]");
  if (!(shown instanceof HTMLElement)) return;
  shown.hidden = !sum;
  shown.textContent = String(sum);
});
