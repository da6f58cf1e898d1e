// The page Contacts: the row of the open panel is marked, the focus goes where it belongs, the
// keyboard moves through the rows, and nothing that was typed is lost unasked.
import "../conversation/contact-facts.js";
import { closestTarget, focus, parseElements } from "../shared/dom.js";
import { fetchHtml } from "../shared/requests.js";

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
/** What chose the order and is being drawn anew: where the focus was. */
let chose = "";

document.addEventListener("htmx:before:swap", ({ detail: { ctx } }) => {
  if (ctx.target?.id === "contact-panel") left = panel()?.dataset.contact ?? left;
  const { activeElement: active } = document;
  chose = "";
  if (active?.id === "contacts-order") chose = "#contacts-order";
  else if (active instanceof HTMLElement && active.dataset.sort) {
    chose = `[data-sort="${active.dataset.sort}"]`;
  }
});

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  if (ctx.target?.id !== "contact-panel") {
    markOpenRow();
    if (chose) focus(document.querySelector(chose));
    return;
  }
  markOpenRow();
  ctx.title = "";
  focus(
    panel()?.querySelector("[autofocus]") ??
      panel()?.querySelector("h2") ??
      linkOf(left) ??
      document.querySelector("#contacts h1"),
  );
});

/**
 * Draws a contact's row anew, and the counts beside the filters. A request of htmx would go where those of the rows' links go: into
 * the panel, and into the address.
 * @param {string} key the contact's
 */
async function redrawRow(key) {
  const find = () => document.getElementById(`contact-${key}`);
  if (!find()) return;
  const query = new URLSearchParams(location.search);
  query.set("row", "1");
  const headers = { "HX-Request": "true" };
  const html = await fetchHtml(`/contacts/${key}/?${query}`, { headers });
  const [fresh, ...counts] = parseElements(html ?? "");
  for (const count of counts) document.getElementById(count.id)?.replaceWith(count);
  const old = find();
  if (!fresh || !old) return;
  const hadFocus = old.contains(document.activeElement);
  old.replaceWith(fresh);
  window.htmx?.process(fresh);
  if (hadFocus) focus(linkOf(key));
  markOpenRow();
}

// What one's own deed has changed is drawn anew: the panel, and the row beside it.
document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
  if (ctx.request.method !== "POST" || ctx.response.status >= 400) return;
  const open = panel()?.dataset.contact;
  const done = /^\/contacts\/(\d+)\//.exec(ctx.request.action)?.[1] ?? open;
  if (done) redrawRow(done);
  if (!open || openForm()) return;
  const address = `/contacts/${open}/${location.search}`;
  window.htmx?.ajax("GET", address, { source: "#contact-panel", target: "#contact-panel" });
});

/** @returns {HTMLFormElement | null} where a contact is being written or changed */
const openForm = () => document.querySelector("#contact-panel .pane-form");

/** Whether the form is left on purpose: saved, or cancelled. */
let isLeaving = false;

/** @param {Element} field */
function isChanged(field) {
  if (field instanceof HTMLSelectElement) {
    const first = [...field.options].findIndex((option) => option.defaultSelected);
    return field.selectedIndex !== Math.max(0, first);
  }
  const isText = field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement;
  return isText && field.type !== "hidden" && field.value !== field.defaultValue;
}

/** Returns whether something was typed that is not saved. What was refused is not saved either. */
function isUnsaved() {
  const form = openForm();
  if (!form || isLeaving) return false;
  return [...form.elements].some((field) => isChanged(field) || field.matches("[aria-invalid]"));
}

document.addEventListener("submit", (event) => {
  if (event.target === openForm()) isLeaving = true;
});

document.addEventListener("click", (event) => {
  const link = closestTarget(event, "#contact-panel .pane-form a");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) isLeaving = true;
});

window.addEventListener("pageshow", () => {
  isLeaving = false;
});

window.addEventListener("beforeunload", (event) => {
  if (isUnsaved()) event.preventDefault();
});

document.addEventListener("htmx:before:request", (event) => {
  const { ctx } = event.detail;
  if (ctx.target?.id !== "contact-panel" || !isUnsaved()) return;
  if (window.confirm("Discard what you typed?")) return;
  event.preventDefault();
  // The step back has changed the address by now.
  if (ctx.isWhole) history.pushState({ htmx: true }, "", openForm()?.action);
});

// The order stands beside what was found, and is a part of the form.
document.addEventListener("change", ({ target }) => {
  if (target instanceof HTMLSelectElement && target.id === "contacts-order") {
    target.form?.requestSubmit();
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
// After Save and Cancel the focus goes on where it was.
const cameFrom = document.referrer.split("?")[0] ?? "";
if (document.activeElement === document.body && /\/contacts\/(new|\d+\/edit)\/$/.test(cameFrom)) {
  focus(panel()?.querySelector("[data-edit]") ?? panel()?.querySelector("h2"));
}
