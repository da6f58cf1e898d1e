// The browser's history: no entry leads nowhere, and a list is found again as it was left.
import { closestTarget } from "../shared/dom.js";
import { listen } from "../shared/events.js";
import { openRows } from "../shared/page-elements.js";

const currentAddress = () => location.pathname + location.search;

/**
 * The address at which a list was shown alone, as long as it is in the page.
 * @type {WeakMap<HTMLElement, string>}
 */
const listAddresses = new WeakMap();

let here = currentAddress();
/**
 * The address that the step back leads to.
 * @type {string | undefined}
 */
let from = history.state?.from;

/** @param {string} path */
function isInOpenList(path) {
  const rows = openRows();
  if (!rows) return false;
  const link = rows.querySelector(`.row-thread > a[href="${CSS.escape(path)}"]`);
  return link !== null || listAddresses.get(rows) === path;
}

/**
 * Returns the address that shows again what was shown at one: without a query it was everything,
 * since the server adds what it remembers.
 * @param {string} path
 */
export const addressShown = (path) => (path.includes("?") ? path : `${path}?only=all`);

/**
 * Returns what htmx has to load to show an address again: the conversation alone, if its list is
 * open, and of contacts what stands beside their list.
 * @param {string} path
 */
export function restoreOptions(path) {
  const pane = document.querySelector("#contact-panel")
    ? "#contact-panel"
    : isInOpenList(path)
      ? "#conversation"
      : "#panes";
  return { source: pane, target: pane, swap: "innerHTML", select: `${pane} > *` };
}

listen("viewChanged", () => {
  here = currentAddress();
  from = history.state?.from;
  const rows = openRows();
  const isAlone = !document.querySelector("#conversation > :is(.thread, .pane)");
  if (rows && isAlone) listAddresses.set(rows, here);
});

// What is opened again while it is open makes no second entry.
document.addEventListener("htmx:before:history:update", ({ detail: { history: step } }) => {
  if (step.type === "push" && step.path === here) step.type = "replace";
});

/** @param {string | undefined} address to which the step back from the current entry leads */
function setBackAddress(address) {
  from = address;
  history.replaceState({ ...history.state, from }, "");
}

document.addEventListener("htmx:after:history:push", ({ detail: { path } }) => {
  setBackAddress(here);
  here = path;
});

document.addEventListener("htmx:after:history:replace", () => {
  setBackAddress(from);
  here = currentAddress();
});

// A link back to where the agent came from is a step back, not one more step forward.
document.addEventListener(
  "click",
  (event) => {
    const link = closestTarget(event, "a[data-back]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    if (!from || link.getAttribute("href") !== from || history.state?.from !== from) return;
    event.preventDefault();
    event.stopPropagation();
    history.back();
  },
  true,
);
