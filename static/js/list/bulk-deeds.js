// Deeds on the selected conversations: their menus, what was done, and its one Undo.
import { closestTarget, focus } from "../shared/dom.js";
import { listen } from "../shared/events.js";
import { hookMenuKeys, hookPopoverMenu, menuItems } from "../shared/popover-menu.js";
import { fetchHtml, postHeaders } from "../shared/requests.js";
import { hideToast, showOffer, showToast } from "../shared/toasts.js";
import { closeMenus, readTools, whereSelected } from "./bulk-tools.js";
import {
  bulkForm,
  endSelection,
  isWholeSelected,
  selectedFields,
  selectedRows,
} from "./selection.js";

const NO_CONNECTION = "Couldn't do it: no connection. Try again.";
const NOT_DONE = "Couldn't do it. Try again.";
const HTMX = { "HX-Request": "true" };

/** Milliseconds between two questions how far a job is. */
const PAUSE_MS = 1_000;
/** Where the tab keeps its last deed, for after a reload. */
const LAST = "partyline:last-bulk";
/** Milliseconds for which it is offered again. */
const OFFERED_MS = 60_000;
/** Pixels between a menu and the edges of the window. */
const MARGIN = 8;

for (const id of ["many-assign", "many-snooze", "many-labels"]) {
  const menu = () => document.getElementById(id);
  const button = () => document.getElementById(`${id}-button`);
  hookPopoverMenu({
    menu,
    button,
    position(open, place) {
      const { clientHeight, clientWidth } = document.documentElement;
      const width = Math.min(264, clientWidth - 2 * MARGIN);
      const left = Math.min(place.left, clientWidth - width - MARGIN);
      open.style.top = `${place.bottom + 4}px`;
      open.style.left = `${Math.max(MARGIN, left)}px`;
      open.style.right = "auto";
      open.style.maxHeight = `${clientHeight - place.bottom - 4 - MARGIN}px`;
    },
    prepare: markLabels,
    firstItem: () => menuItems(menu())[0],
  });
  hookMenuKeys({ menu, button });
}

/**
 * Opens a menu, or closes it. What it offers may still be on its way.
 * @param {string} id
 */
async function openMenu(id) {
  const form = bulkForm();
  const menu = document.getElementById(id);
  if (form && !menu?.childElementCount) await readTools(form);
  if (menu?.isConnected) menu.togglePopover();
}

/** Says of each label whether all, some or none of the selected rows have it. */
function markLabels() {
  const onRows = selectedRows().map((row) => (row.dataset.labels ?? "").split(" "));
  for (const item of document.querySelectorAll("#many-labels [data-keys]")) {
    if (!(item instanceof HTMLElement)) continue;
    const keys = (item.dataset.keys ?? "").split(" ");
    const having = onRows.filter((labels) => labels.some((label) => keys.includes(label))).length;
    const isOnAll = having > 0 && having === onRows.length;
    item.setAttribute("aria-checked", isOnAll ? "true" : having ? "mixed" : "false");
    item.dataset.deed = isOnAll ? "unlabel" : "label";
  }
}

/** Turns *Done* into *Reopen*, and *Read* into *Unread*, where that is what is left to do. */
function nameDeeds() {
  const rows = selectedRows();
  const areDone = rows.length > 0 && rows.every((row) => row.querySelector(".done-mark"));
  const areRead = rows.length > 0 && rows.every((row) => !row.classList.contains("unread"));
  nameDeed("done", "reopen", areDone, ["Done", "Reopen"]);
  nameDeed("read", "unread", areRead, ["Read", "Unread"]);
}

/**
 * @param {string} deed
 * @param {string} other
 * @param {boolean} isOther
 * @param {[string, string]} words
 */
function nameDeed(deed, other, isOther, words) {
  const button = bulkForm()?.querySelector(`.bulk-deed:is([value="${deed}"], [value="${other}"])`);
  const word = button?.querySelector("[data-word]");
  if (!(button instanceof HTMLButtonElement) || !word) return;
  const name = words[isOther ? 1 : 0] ?? "";
  if (word.textContent === name) return;
  word.textContent = name;
  button.title = name;
  button.value = isOther ? other : deed;
  button.dataset.deed = button.value;
}

listen("selectionChanged", nameDeeds);

/**
 * Returns the fields of a deed: what, with which threads, and what else it needs.
 * @param {HTMLFormElement} form
 * @param {HTMLButtonElement} button
 */
function fieldsOf(form, button) {
  const fields = whereSelected(form);
  for (const [name, value] of Object.entries(selectedFields())) fields.set(name, value);
  fields.set("deed", button.dataset.deed ?? "");
  if (button.name !== "deed") fields.set(button.name, button.value);
  for (const name of ["date", "time"]) {
    const field = document.querySelector(`#many-snooze [name=${name}]`);
    if (field instanceof HTMLInputElement) fields.set(name, field.value);
  }
  return fields;
}

/** @param {HTMLButtonElement} button */
async function act(button) {
  const form = bulkForm();
  if (!form || form.hasAttribute("aria-busy")) return;
  form.setAttribute("aria-busy", "true");
  const body = fieldsOf(form, button);
  try {
    const headers = { ...HTMX, ...postHeaders() };
    const answer = await fetch(form.action, { method: "POST", headers, body });
    const words = await answer.text();
    if (answer.ok && !answer.redirected) {
      if (isWholeSelected()) endSelection();
      showOutcome(words);
    } else showToast(answer.status === 422 ? words : NOT_DONE);
  } catch {
    showToast(NO_CONNECTION);
  } finally {
    form.removeAttribute("aria-busy");
  }
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/**
 * Says what was done, or how far it is, with the button that takes it back.
 * @param {string} html drawn by the server
 */
function showOutcome(html) {
  clearTimeout(timer);
  const hadFocus = document.activeElement?.matches("#notice .undo");
  showOffer(html);
  const undo = document.querySelector("#notice .undo");
  if (hadFocus) focus(undo);
  const told = document.querySelector("#notice [data-bulk]");
  if (!(told instanceof HTMLElement)) return;
  const { bulk, progress } = told.dataset;
  if (undo) sessionStorage.setItem(LAST, JSON.stringify([bulk, Date.now()]));
  else sessionStorage.removeItem(LAST);
  if (progress) timer = setTimeout(() => askHowFar(progress), PAUSE_MS);
}

/** @param {string} address */
async function askHowFar(address) {
  const html = await fetchHtml(address, { headers: HTMX });
  if (html === null) timer = setTimeout(() => askHowFar(address), PAUSE_MS);
  else showOutcome(html);
}

/** Offers the last deed again after a reload, or goes on saying how far it is. */
function offerLast() {
  const [bulk, at] = JSON.parse(sessionStorage.getItem(LAST) ?? "[]");
  if (!bulk || Date.now() - at > OFFERED_MS) return;
  const address = `${bulkForm()?.getAttribute("action") ?? ""}${bulk}/`;
  if (bulkForm()) fetchHtml(address, { headers: HTMX }).then((html) => html && showOutcome(html));
}

document.addEventListener("submit", (event) => {
  if (event.target === bulkForm()) event.preventDefault();
});

document.addEventListener("click", (event) => {
  const button = closestTarget(event, ".bulk-deed, .many-menu [data-deed]");
  if (!(button instanceof HTMLButtonElement)) return;
  event.preventDefault();
  const { manyMenu } = button.dataset;
  if (manyMenu) openMenu(manyMenu);
  else {
    closeMenus();
    act(button);
  }
});

document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
  if (!ctx.sourceElement.matches("[data-undo-many]")) return;
  sessionStorage.removeItem(LAST);
  const hadFocus = ctx.sourceElement.matches(":focus");
  if (ctx.response.status < 300) showOutcome(ctx.text);
  else if (ctx.response.status === 422) showToast(ctx.text);
  else hideToast();
  if (hadFocus) focus(document.querySelector(".listing h1"));
});

offerLast();
