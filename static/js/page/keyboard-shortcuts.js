// The keyboard outside of text: single keys, steps through the open list, and the way back.
//
// An element names its key by data-shortcut: a field gets the focus, anything else is clicked.
import { click, closestTarget, focus } from "../shared/dom.js";

/** Where the browser keeps that single keys are turned off. */
const OFF = "partyline:no-single-keys";
const OPEN_MENUS =
  "dialog[open], [popover]:popover-open, .suggestion-list, [role=combobox][aria-expanded=true]";
const NOT_TYPED_IN = "[type=checkbox], [type=radio], [type=button], [type=submit], [type=file]";

/** @returns {HTMLDialogElement | null} */
const shortcutsDialog = () => document.querySelector("#shortcuts");

/** @returns {HTMLInputElement | null} */
const singleKeysBox = () => document.querySelector("[data-single-keys]");

export const areSingleKeysOff = () => localStorage.getItem(OFF) !== null;

const isMenuOpen = () => document.querySelector(OPEN_MENUS) !== null;

/** @param {Element} element */
const isShown = (element) => element.getClientRects().length > 0;

/** @param {Element | null} element */
export const isTypedIn = (element) =>
  element instanceof HTMLElement &&
  (element.isContentEditable ||
    element.matches(`:is(input, textarea, select):not(${NOT_TYPED_IN})`));

/** @param {string} selector */
const clickFirst = (selector) => click(document.querySelector(selector));

function openShortcuts() {
  const box = singleKeysBox();
  if (box) box.checked = !areSingleKeysOff();
  shortcutsDialog()?.showModal();
}

/** @param {number} by rows down, or up if below zero */
function moveInList(by) {
  const links = [...document.querySelectorAll(".rows .row-link")].filter(isShown);
  const focused = document.activeElement?.closest(".row")?.querySelector(".row-link");
  const here = links.findIndex((link) =>
    focused ? link === focused : link.hasAttribute("aria-current"),
  );
  const next = links[here < 0 ? 0 : here + by];
  if (!next) return false;
  focus(next);
  next.scrollIntoView({ block: "nearest" });
  return true;
}

/** @param {string} key */
function followShortcut(key) {
  const named = [...document.querySelectorAll(`[data-shortcut="${CSS.escape(key)}"]`)];
  // The button of a menu opens it also where there is no room for the button.
  const found = named.find(
    (element) =>
      (isShown(element) || element.matches(".thread [popovertarget]")) &&
      !element.matches(":disabled"),
  );
  if (!(found instanceof HTMLElement)) return false;
  if (isTypedIn(found)) found.focus();
  else found.click();
  return true;
}

/** Goes one step back: out of a field, from a conversation to its list, from there to the top. */
function goBack() {
  const focused = document.activeElement;
  if (isTypedIn(focused)) {
    const pane = focused?.closest(".thread, .pane") ?? document.querySelector("main");
    focus(pane?.querySelector(".log") ?? pane?.querySelector("h1"));
    return true;
  }
  const isInList = focused?.closest(".listing") && clickFirst(".listing [data-back]");
  return (
    isInList ||
    clickFirst(":is(.thread, .pane) [data-back]") ||
    clickFirst(".listing [data-back]")
  );
}

/** @param {KeyboardEvent} event */
function handleSingleKey(event) {
  if (event.key.length !== 1 || areSingleKeysOff()) return false;
  if (event.shiftKey && /[a-z]/i.test(event.key)) return false;
  const key = event.key.toLowerCase();
  if (key === "j" || key === "k") return moveInList(key === "j" ? 1 : -1);
  if (event.repeat) return false;
  if (key === "?") openShortcuts();
  return key === "?" || followShortcut(key);
}

/**
 * @param {KeyboardEvent} event
 * @param {Element} target
 * @returns {boolean} whether the key had a meaning
 */
function handleKey(event, target) {
  if (event.key === "Escape") {
    // A search field is emptied first.
    const isOwn = target.matches("select, [type=search]:not(:placeholder-shown)");
    return !isOwn && !event.shiftKey && !event.repeat && goBack();
  }
  if (isTypedIn(target)) return false;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const isFree = target === document.body || target.matches(".listing :is(a, h1, .row-select input)");
    return isFree && !event.shiftKey && moveInList(event.key === "ArrowDown" ? 1 : -1);
  }
  return handleSingleKey(event);
}

/** Whether a menu was open when the key went down: the key itself may have closed it since. */
let wasMenuOpen = false;

/** @returns {boolean} whether the key that is just being handled belongs to a menu */
export const isKeyOfMenu = () => wasMenuOpen;

window.addEventListener("keydown", () => (wasMenuOpen = isMenuOpen()), true);

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || wasMenuOpen) return;
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (handleKey(event, event.target instanceof Element ? event.target : document.body)) {
    event.preventDefault();
  }
});

document.addEventListener("click", (event) => {
  if (closestTarget(event, "[data-shortcuts]")) openShortcuts();
  // A click on the dialog itself is one on its backdrop: its content fills it.
  else if (event.target instanceof Element && event.target === shortcutsDialog()) {
    shortcutsDialog()?.close();
  }
});

document.addEventListener("change", (event) => {
  const box = singleKeysBox();
  if (!box || event.target !== box) return;
  if (box.checked) localStorage.removeItem(OFF);
  else localStorage.setItem(OFF, "1");
});
