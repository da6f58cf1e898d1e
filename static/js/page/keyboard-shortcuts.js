// The keyboard outside of text: single keys, steps through the open list, and the way back.
//
// An element names its key by data-shortcut: it is focused if one writes in it, and clicked if not.

const OFF = "partyline:no-single-keys";
const CHOOSERS =
  "dialog[open], [popover]:popover-open, #mention-menu, [role=combobox][aria-expanded=true]";
const PRESSED = "[type=checkbox], [type=radio], [type=button], [type=submit], [type=file]";

/** @returns {HTMLDialogElement | null} */
const dialog = () => document.querySelector("#shortcuts");

/** @returns {HTMLInputElement | null} */
const consent = () => document.querySelector("[data-single-keys]");

const isOff = () => localStorage.getItem(OFF) !== null;

const isChoosing = () => document.querySelector(CHOOSERS) !== null;

/** @param {Element} element */
const isShown = (element) => element.getClientRects().length > 0;

/** @param {Element | null} element */
const isWritten = (element) =>
  element instanceof HTMLElement &&
  (element.isContentEditable || element.matches(`:is(input, textarea, select):not(${PRESSED})`));

/** @param {string} selector */
const click = (selector) => {
  const found = document.querySelector(selector);
  if (found instanceof HTMLElement) found.click();
  return found !== null;
};

function open() {
  const box = consent();
  if (box) box.checked = !isOff();
  dialog()?.showModal();
}

/** @param {number} by */
function step(by) {
  const links = [...document.querySelectorAll(".rows .row-link")].filter(isShown);
  const focused = document.activeElement?.closest(".row")?.querySelector(".row-link");
  const here = links.findIndex((link) =>
    focused ? link === focused : link.hasAttribute("aria-current"),
  );
  const next = links[here < 0 ? 0 : here + by];
  if (!(next instanceof HTMLElement)) return false;
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
  return true;
}

/** @param {string} key */
function follow(key) {
  const found = [...document.querySelectorAll(`[data-shortcut="${CSS.escape(key)}"]`)].find(
    (one) => isShown(one) && !one.matches(":disabled"),
  );
  if (!(found instanceof HTMLElement)) return false;
  if (isWritten(found)) found.focus();
  else found.click();
  return true;
}

/** One step back: out of a field, from a thread or a form to its list, from there to the top. */
function back() {
  const focused = document.activeElement;
  if (isWritten(focused)) {
    const pane = focused?.closest(".thread, .pane") ?? document.querySelector("main");
    const place = pane?.querySelector(".log") ?? pane?.querySelector("h1");
    if (place instanceof HTMLElement) place.focus({ preventScroll: true });
    return true;
  }
  const isInList = focused?.closest(".listing") && click(".listing [data-back]");
  return isInList || click(":is(.thread, .pane) [data-back]") || click(".listing [data-back]");
}

/** @param {KeyboardEvent} event */
function single(event) {
  if (event.key.length !== 1 || isOff()) return false;
  if (event.shiftKey && /[a-z]/i.test(event.key)) return false;
  const key = event.key.toLowerCase();
  if (key === "j" || key === "k") return step(key === "j" ? 1 : -1);
  if (event.repeat) return false;
  if (key === "?") open();
  return key === "?" || follow(key);
}

/**
 * @param {KeyboardEvent} event
 * @param {Element} target
 * @returns {boolean} whether the key had a meaning
 */
function act(event, target) {
  if (event.key === "Escape") {
    // A search field empties itself first.
    const isOwn = target.matches("select, [type=search]:not(:placeholder-shown)");
    return !isOwn && !event.shiftKey && !event.repeat && back();
  }
  if (isWritten(target)) return false;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const isFree = target === document.body || target.matches(".listing :is(a, h1)");
    return isFree && !event.shiftKey && step(event.key === "ArrowDown" ? 1 : -1);
  }
  return single(event);
}

/** Whether a menu was open when the key went down: it may have closed with it meanwhile. */
let wasChoosing = false;

window.addEventListener("keydown", () => (wasChoosing = isChoosing()), true);

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || wasChoosing) return;
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (act(event, event.target instanceof Element ? event.target : document.body)) {
    event.preventDefault();
  }
});

document.addEventListener("click", (event) => {
  if (!(event.target instanceof Element)) return;
  if (event.target.closest("[data-shortcuts]")) open();
  // The dialog itself is only its backdrop: what it shows fills it.
  else if (event.target === dialog()) dialog()?.close();
});

document.addEventListener("change", (event) => {
  const box = consent();
  if (!box || event.target !== box) return;
  if (box.checked) localStorage.removeItem(OFF);
  else localStorage.setItem(OFF, "1");
});
