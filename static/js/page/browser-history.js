// The way back: no entry of the history leads nowhere, and a list is found again as it was left.

const address = () => location.pathname + location.search;

/** @returns {HTMLElement | null} */
const rows = () => document.querySelector(".rows");

/**
 * Under which address a list was shown alone, as long as it stands in the page.
 * @type {WeakMap<HTMLElement, string>}
 */
const homes = new WeakMap();

let here = address();
/** @type {string | undefined} */
let from = history.state?.from;

/** @param {string} path */
function keepsList(path) {
  const list = rows();
  if (!list) return false;
  const row = list.querySelector(`.row-thread > a[href="${CSS.escape(path)}"]`);
  return row !== null || homes.get(list) === path;
}

/**
 * What has to be loaded to show an address again: the conversation alone, if its list is here.
 * @param {string} path
 */
export function wayTo(path) {
  const pane = keepsList(path) ? "#conversation" : "#panes";
  return { source: pane, target: pane, swap: "innerHTML", select: `${pane} > *` };
}

document.addEventListener("partyline:looked", () => {
  here = address();
  from = history.state?.from;
  const list = rows();
  if (list && !document.querySelector("#conversation > :is(.thread, .pane)")) homes.set(list, here);
});

// What is opened again while it is open makes no second entry.
document.addEventListener("htmx:before:history:update", (event) => {
  const { history: step } = /** @type {CustomEvent} */ (event).detail;
  if (step.type === "push" && step.path === here) step.type = "replace";
});

/** @param {string | undefined} before the address that the step back leads to */
function sign(before) {
  from = before;
  history.replaceState({ ...history.state, from }, "");
}

document.addEventListener("htmx:after:history:push", (event) => {
  sign(here);
  here = /** @type {CustomEvent} */ (event).detail.path;
});

document.addEventListener("htmx:after:history:replace", () => {
  sign(from);
  here = address();
});

// A link back to where one came from is a step back, not one more step on.
document.addEventListener(
  "click",
  (event) => {
    const link = event.target instanceof Element && event.target.closest("a[data-back]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    if (!from || link.getAttribute("href") !== from || history.state?.from !== from) return;
    event.preventDefault();
    event.stopPropagation();
    history.back();
  },
  true,
);
