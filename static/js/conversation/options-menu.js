// The menu of a thread's options: its keys, and its words when another tab changes them.
import { listen } from "../shared/events.js";
import {
  hookMenuKeys,
  hookPopoverMenu,
  menuItems,
  positionBelow,
} from "../shared/popover-menu.js";

/** @returns {HTMLElement | null} */
const menuElement = () => document.querySelector("#options");

/** @returns {HTMLElement | null} */
const menuButton = () => document.querySelector("#options-button");

hookPopoverMenu({
  menu: menuElement,
  button: menuButton,
  position: positionBelow,
  firstItem: () => menuItems(menuElement())[0],
});

hookMenuKeys({ menu: menuElement, button: menuButton });

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
