// The times of the history by keyboard: one of them is in the order of Tab, and the arrows lead to
// the others. The full date shows beside the one that has the focus.
import { focus } from "../shared/dom.js";
import { listen } from "../shared/events.js";
import { openLog } from "../shared/page-elements.js";
import "./activity-folds.js";

/** @returns {HTMLTimeElement[]} from the oldest to the newest, without those that are not drawn */
const messageTimes = () => [
  ...(openLog()?.querySelectorAll(
    /** @type {"time"} */ (".message:not(.joined) > .meta > time:first-of-type"),
  ) ?? []),
];

/** @param {HTMLTimeElement | undefined} chosen */
function putInTabOrder(chosen) {
  for (const time of messageTimes()) {
    const index = time === chosen ? 0 : -1;
    if (time.getAttribute("tabindex") !== String(index)) time.tabIndex = index;
  }
}

/** Keeps the one that was chosen, or takes the newest. */
function refresh() {
  const times = messageTimes();
  const focused = times.find((time) => time === document.activeElement);
  putInTabOrder(focused ?? times.find((time) => time.tabIndex === 0) ?? times.at(-1));
}

document.addEventListener("keydown", (event) => {
  const times = messageTimes();
  const at = times.findIndex((time) => time === event.target);
  const steps = /** @type {Record<string, number>} */ ({ ArrowUp: -1, ArrowDown: 1 });
  const step = steps[event.key];
  const next = at >= 0 && step !== undefined && times[at + step];
  if (!next) return;
  event.preventDefault();
  putInTabOrder(next);
  focus(next);
});

listen("viewChanged", refresh);
listen("fragmentsChanged", refresh);
document.addEventListener("htmx:after:swap", refresh);
refresh();
