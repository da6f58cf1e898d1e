// The page Contacts: the row of the open panel is marked, the focus goes where it belongs, and the
// keyboard moves through the rows.
import "../conversation/contact-facts.js";
import { focus } from "../shared/dom.js";

const LINKS = ".contacts-link";

/** @returns {HTMLElement | null} */
const panel = () => document.querySelector("#contact-panel > *");

/** @returns {HTMLElement[]} */
const links = () => [...document.querySelectorAll(LINKS)].filter((link) => link instanceof HTMLElement);

/** @param {string} key a contact's */
const linkOf = (key) => document.querySelector(`#contact-${CSS.escape(key)} ${LINKS}`);

function markOpenRow() {
  const open = panel()?.dataset.contact;
  for (const link of document.querySelectorAll(`${LINKS}[aria-current]`)) {
    link.removeAttribute("aria-current");
  }
  if (open) linkOf(open)?.setAttribute("aria-current", "true");
}

/** The contact whose panel is being closed or replaced. */
let left = "";

document.addEventListener("htmx:before:swap", ({ detail: { ctx } }) => {
  if (ctx.target?.id === "contact-panel") left = panel()?.dataset.contact ?? left;
});

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  if (ctx.target?.id !== "contact-panel") {
    markOpenRow();
    return;
  }
  markOpenRow();
  // The title of the page stays the list's.
  ctx.title = "";
  focus(
    panel()?.querySelector("[autofocus]") ??
      panel()?.querySelector("h2") ??
      linkOf(left) ??
      document.querySelector("#contacts h1"),
  );
});

// What one's own deed has changed is drawn anew: the panel, and the row beside it.
document.addEventListener("htmx:after:request", async ({ detail: { ctx } }) => {
  if (ctx.request.method !== "POST" || ctx.response.status >= 400) return;
  const open = panel()?.dataset.contact;
  if (!open) return;
  const path = `/contacts/${open}/`;
  const address = path + location.search;
  const query = new URLSearchParams(location.search);
  // One after the other: a request of a row would end that of the panel.
  await window.htmx?.ajax("GET", address, { source: "#contact-panel", target: "#contact-panel" });
  const row = `#contact-${CSS.escape(open)}`;
  if (document.querySelector(row)) {
    const rowAddress = `${path}?${new URLSearchParams([...query, ["row", "1"]])}`;
    window.htmx?.ajax("GET", rowAddress, { source: row, target: row, swap: "outerHTML" });
  }
});

/** @param {number} by rows down, or up if below zero */
function moveBy(by) {
  const all = links();
  const here = all.findIndex((link) => link === document.activeElement);
  const next = all[here + by];
  if (!next) return false;
  next.focus();
  next.scrollIntoView({ block: "nearest" });
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  const target = event.target instanceof Element ? event.target : null;
  const isOnRow = target?.matches(LINKS);
  const isInSearch = target?.id === "contacts-search";
  const steps = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 };
  const by = steps[/** @type {keyof typeof steps} */ (event.key)];
  const moves = isOnRow ? by : isInSearch && event.key === "ArrowDown" ? 1 : undefined;
  if (moves !== undefined && moveBy(moves)) event.preventDefault();
});

// Escape closes the panel first, and only then leads back to the messages.
document.addEventListener(
  "keydown",
  (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || event.isComposing) return;
    const close = panel()?.querySelector("[data-close-panel]");
    const isInForm = event.target instanceof Element && event.target.matches("input, select, textarea");
    if (!(close instanceof HTMLElement) || isInForm || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    close.click();
  },
  true,
);

markOpenRow();
