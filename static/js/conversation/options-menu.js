// The menu of a thread's options: its keys, and its words when another tab changes them.
import { closestTarget, focus } from "../shared/dom.js";
import { listen } from "../shared/events.js";
import { hookPopoverMenu } from "../shared/popover-menu.js";

/** @returns {HTMLElement | null} */
const menuElement = () => document.querySelector("#options");

/** @returns {HTMLElement[]} those that are shown */
const menuItems = () =>
  /** @type {HTMLElement[]} */ ([
    ...(menuElement()?.querySelectorAll("[role^=menuitem]") ?? []),
  ]).filter((item) => item.offsetParent !== null);

/** @returns {HTMLElement | null} */
const menuButton = () => document.querySelector("#options-button");

hookPopoverMenu({
  menu: menuElement,
  button: menuButton,
  position(menu, button) {
    menu.style.top = `${button.bottom + 4}px`;
    menu.style.right = `${document.documentElement.clientWidth - button.right}px`;
  },
  firstItem: () => menuItems()[0],
});

document.addEventListener("keydown", (event) => {
  const target = event.target;
  if (!(target instanceof HTMLElement)) return;
  if (target === menuButton() && ["ArrowDown", "ArrowUp"].includes(event.key)) {
    event.preventDefault();
    menuElement()?.showPopover();
    return;
  }
  if (!menuElement()?.contains(target)) return;
  const items = menuItems();
  const here = items.indexOf(target);
  const last = items.length - 1;
  const next = {
    ArrowDown: here === last ? 0 : here + 1,
    ArrowUp: here <= 0 ? last : here - 1,
    Home: 0,
    End: last,
  }[event.key];
  if (next !== undefined) {
    event.preventDefault();
    items[next]?.focus();
  } else if (event.key === "Tab") {
    menuElement()?.hidePopover();
  }
});

// The menu closes at once; the answer changes it while it is closed.
document.addEventListener("click", (event) => {
  if (!closestTarget(event, "#options [role^=menuitem]")) return;
  menuElement()?.hidePopover();
  focus(menuButton());
});

listen("muted", (muted) => {
  const isMuted = muted[menuElement()?.dataset.thread ?? ""];
  const item = menuElement()?.querySelector("[data-mute]");
  const word = item?.querySelector("[data-word]");
  if (isMuted === undefined || !item || !word) return;
  item.setAttribute("value", isMuted ? "0" : "1");
  word.textContent = isMuted ? "Unmute" : "Mute";
});

// The title shows which priority holds, also after a colleague set it.
listen("fragmentsChanged", () => {
  const title = document.querySelector(".thread [data-priority]");
  if (!(title instanceof HTMLElement)) return;
  for (const choice of menuElement()?.querySelectorAll("[data-priority-choice]") ?? []) {
    const isChecked = String(choice.getAttribute("value") === title.dataset.priority);
    if (choice.getAttribute("aria-checked") !== isChecked) {
      choice.setAttribute("aria-checked", isChecked);
    }
  }
});
