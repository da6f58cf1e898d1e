// The line that says that new texts to a number don't come here, shown until they do.
import { compareKeys } from "../live/fragments.js";
import { listen } from "../shared/events.js";

/**
 * The change counters at which each inbox was read last.
 * @type {Map<number, string>}
 */
const seqs = new Map();

listen("counts", ({ inbox, seq, lost }) => {
  const line = document.querySelector("[data-lost]");
  if (!(line instanceof HTMLElement)) return;
  if (seq && compareKeys(seq, seqs.get(inbox) ?? "0") < 0) return;
  seqs.set(inbox, seq);
  /** @type {Record<string, string>} */
  const names = JSON.parse(line.dataset.lost || "{}");
  delete names[inbox];
  if (lost) names[inbox] = lost;
  const listed = Object.values(names);
  line.dataset.lost = JSON.stringify(names);
  const shown = line.querySelector("[data-lost-names]");
  if (shown) shown.textContent = [listed.slice(0, -1).join(", "), ...listed.slice(-1)].filter(Boolean).join(" and ");
  line.hidden = !listed.length;
});
