// The plus beside the box, where the composer is one row: files, and sending later.
import { hookMenuKeys, hookPopoverMenu, menuItems, positionAbove } from "../shared/popover-menu.js";

const WIDEST = 240;

/** @returns {HTMLElement | null} */
const menuElement = () => document.querySelector("#plus-menu");

/** @returns {HTMLElement | null} */
const menuButton = () => document.querySelector("#plus-button");

hookPopoverMenu({
  menu: menuElement,
  button: menuButton,
  position: (menu, button) => positionAbove(menu, button, WIDEST),
  firstItem: () => menuItems(menuElement())[0],
});
hookMenuKeys({ menu: menuElement, button: menuButton });
