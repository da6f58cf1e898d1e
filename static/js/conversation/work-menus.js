// The menus of a conversation's tools: to whom it is assigned, how long it is snoozed, its labels.
// They stand apart from the tools that a colleague's change draws anew, so that it closes none.
import { morph } from "../live/morph.js";
import { focus, parseHtml } from "../shared/dom.js";
import { listen } from "../shared/events.js";
import { openThreadKey } from "../shared/page-elements.js";
import {
  hookMenuKeys,
  hookPopoverMenu,
  menuItems,
  positionBelow,
} from "../shared/popover-menu.js";
import { fetchHtml } from "../shared/requests.js";
import { newestMessageId } from "./newest-message.js";

/** @param {string} id */
const elementOf = (id) => document.getElementById(id);

/**
 * Finds the button of a menu: its own, or that of the options where there is no room for it.
 * @param {string} id
 */
const shownButton = (id) => {
  const button = elementOf(id);
  return button?.getClientRects().length ? button : elementOf("options-button");
};

/** @returns {HTMLElement | null} the tools, which know what holds now */
const workTools = () => document.querySelector(".thread .work");

/** Marks in the menus what holds, whoever changed it. */
function showWhatHolds() {
  const work = workTools();
  if (!work) return;
  const { assignee = "", labels = "", status } = work.dataset;
  const onThread = labels.split(" ");
  for (const item of document.querySelectorAll("#assign-menu [data-assignee]")) {
    check(item, item.getAttribute("data-assignee") === assignee);
  }
  for (const item of document.querySelectorAll("#labels-menu [data-label-choice]")) {
    const isOn = onThread.includes(item.getAttribute("data-label-choice") ?? "");
    check(item, isOn);
    if (item.getAttribute("value") !== (isOn ? "0" : "1")) {
      item.setAttribute("value", isOn ? "0" : "1");
    }
  }
  for (const item of document.querySelectorAll(".end-snooze")) {
    item.toggleAttribute("hidden", status !== "snoozed");
  }
}

/**
 * @param {Element} item
 * @param {boolean} isChecked
 */
function check(item, isChecked) {
  if (item.getAttribute("aria-checked") === String(isChecked)) return;
  item.setAttribute("aria-checked", String(isChecked));
}

/**
 * Asks for the menu as it is now: members come and go, and hours pass.
 * @param {HTMLElement} menu
 */
async function renew(menu) {
  const thread = openThreadKey();
  const html = await fetchHtml(menu.dataset.fresh ?? "");
  const fresh = html ? parseHtml(html).querySelector(`#${menu.id}`) : null;
  if (!fresh || thread !== openThreadKey() || !menu.isConnected) return;
  morph(menu, fresh);
  window.htmx?.process(menu);
  showWhatHolds();
}

for (const name of ["assign", "snooze", "labels"]) {
  const menu = () => elementOf(`${name}-menu`);
  const button = () => shownButton(`${name}-button`);
  hookPopoverMenu({
    menu,
    button,
    position: positionBelow,
    prepare: renew,
    firstItem: () => menuItems(menu())[0],
  });
  hookMenuKeys({ menu, button });
}

hookPopoverMenu({
  menu: () => elementOf("snooze-date"),
  button: () => shownButton("snooze-button"),
  position: positionBelow,
  firstItem: () => elementOf("snooze-day"),
});

document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
  if (!ctx.sourceElement.matches("#snooze-date") || ctx.response.status >= 300) return;
  elementOf("snooze-date")?.hidePopover();
  focus(shownButton("snooze-button"));
});

/** Notes the newest message for *Done* and *Snooze*: a text that comes unseen keeps it open. */
function noteNewestMessage() {
  for (const field of document.querySelectorAll(".thread [data-up-to]")) {
    const shown = Math.max(Number(field.getAttribute("value")), newestMessageId());
    if (field.getAttribute("value") !== String(shown)) field.setAttribute("value", String(shown));
  }
}

listen("fragmentsChanged", () => {
  showWhatHolds();
  noteNewestMessage();
});
listen("viewChanged", () => {
  showWhatHolds();
  noteNewestMessage();
});
