// The counts beside the views: the sum over the list's inboxes.
import { compareKeys } from "../live/fragments.js";
import { listen } from "../shared/events.js";

/** Counts from here on are shown as 999+. */
const CAP = 1_000;
const COUNTED = /** @type {const} */ (["reply", "mine", "failed"]);

/** @returns {HTMLElement | null} */
const navigation = () => document.querySelector("[data-counts]");

/** @param {number} sum */
const capped = (sum) => (sum >= CAP ? `${CAP - 1}+` : String(sum || ""));

listen("counts", ({ inbox, seq, reply, mine, failed }) => {
  const views = navigation();
  // Nothing was counted where no thread had changed.
  if (!views || reply === undefined || mine === undefined || failed === undefined) return;
  /** @type {Record<string, {seq: string, reply: number, mine: number, failed: number}>} */
  const known = JSON.parse(views.dataset.counts || "{}");
  const old = known[inbox];
  // An inbox that the agent lost has no seq.
  if (seq && old?.seq && compareKeys(seq, old.seq) < 0) return;
  known[inbox] = { seq, reply, mine, failed };
  views.dataset.counts = JSON.stringify(known);
  for (const name of COUNTED) {
    const sum = Object.values(known).reduce((total, one) => total + one[name], 0);
    for (const shown of document.querySelectorAll(`[data-count="${name}"]`)) {
      if (!(shown instanceof HTMLElement)) continue;
      shown.hidden = !sum;
      shown.textContent = capped(sum);
    }
  }
});
