// A menu in a popover: opens beside its button, and follows it when the window changes its size.
import { closestTarget, focus } from "./dom.js";

/**
 * @typedef {object} PopoverMenu
 * @property {() => HTMLElement | null} menu the page may be drawn anew, so that both are looked for
 * @property {() => HTMLElement | null} button
 * @property {(menu: HTMLElement, button: DOMRect) => void} position moves the menu to its button
 * @property {(menu: HTMLElement) => void} [prepare] called just before the menu opens
 * @property {() => HTMLElement | null | undefined} firstItem what gets the focus
 */

/** @param {PopoverMenu} popover */
export function hookPopoverMenu({ menu, button, position, prepare, firstItem }) {
  const move = (/** @type {HTMLElement} */ open) => {
    const place = button()?.getBoundingClientRect();
    if (place) position(open, place);
  };
  /**
   * These events do not bubble, but they can be captured.
   * @param {"beforetoggle" | "toggle"} type
   * @param {(menu: HTMLElement, isOpen: boolean) => void} react
   */
  const onToggle = (type, react) => {
    document.addEventListener(type, (event) => {
      const target = menu();
      if (!target || event.target !== target || !(event instanceof ToggleEvent)) return;
      react(target, event.newState === "open");
    }, true);
  };

  onToggle("beforetoggle", (target, isOpen) => {
    if (!isOpen) return;
    move(target);
    prepare?.(target);
  });
  onToggle("toggle", (_, isOpen) => {
    button()?.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) firstItem()?.focus();
  });
  window.addEventListener("resize", () => {
    const open = menu();
    if (open?.matches(":popover-open")) move(open);
  });
}

/**
 * Lets the arrow keys move through a menu, and closes it when one of its items is chosen.
 * @param {object} popover
 * @param {() => HTMLElement | null} popover.menu
 * @param {() => HTMLElement | null} popover.button
 */
export function hookMenuKeys({ menu, button }) {
  document.addEventListener("keydown", (event) => {
    const target = event.target;
    if (!(target instanceof HTMLElement)) return;
    if (target === button() && ["ArrowDown", "ArrowUp"].includes(event.key)) {
      event.preventDefault();
      menu()?.showPopover();
      return;
    }
    if (!menu()?.contains(target)) return;
    const items = menuItems(menu());
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
      menu()?.hidePopover();
    } else if (event.key.length === 1 && event.key !== " ") {
      const after = items.slice(here + 1);
      [...after, ...items].find((item) => startsWith(item, event.key))?.focus();
    }
  });

  // The menu closes at once; what the item does comes after it. Several may be ticked in turn.
  document.addEventListener("click", (event) => {
    const item = closestTarget(event, "[role^=menuitem]");
    if (!menu()?.contains(item) || item?.role === "menuitemcheckbox") return;
    menu()?.hidePopover();
    focus(button());
  });
}

/**
 * Returns the items of a menu that are shown.
 * @param {HTMLElement | null} menu
 */
export const menuItems = (menu) =>
  /** @type {HTMLElement[]} */ ([...(menu?.querySelectorAll("[role^=menuitem]") ?? [])]).filter(
    (item) => item.offsetParent !== null,
  );

/**
 * @param {HTMLElement} item
 * @param {string} letter
 */
const startsWith = (item, letter) =>
  item.textContent?.trim().toLowerCase().startsWith(letter.toLowerCase()) ?? false;

/**
 * Puts a menu below its button, with their ends in one line, wholly inside the window.
 * @param {HTMLElement} menu
 * @param {DOMRect} button
 */
export function positionBelow(menu, button) {
  const { clientWidth, clientHeight } = document.documentElement;
  const top = Math.min(button.bottom + 4, clientHeight / 4);
  const right = Math.min(clientWidth - button.right, clientWidth - WIDEST - MARGIN);
  menu.style.top = `${top}px`;
  menu.style.right = `${Math.max(MARGIN, right)}px`;
  menu.style.maxHeight = `${clientHeight - top - MARGIN}px`;
}

/** Pixels that a menu below its button may take. */
const WIDEST = 280;
/** Pixels that a menu needs above its button; with less it covers the button. */
const ENOUGH = 220;
/** Pixels between a menu and the edges of the window. */
const MARGIN = 8;

/**
 * Puts a menu of a given width above its button, wholly inside the window.
 * @param {HTMLElement} menu
 * @param {DOMRect} button
 * @param {number} widest in pixels
 */
export function positionAbove(menu, button, widest) {
  const { clientWidth, clientHeight } = document.documentElement;
  const width = Math.min(widest, clientWidth - 2 * MARGIN);
  const right = Math.min(clientWidth - button.right - 60, clientWidth - MARGIN - width);
  const bottom = button.top < ENOUGH ? MARGIN : clientHeight - button.top + 6;
  menu.style.right = `${Math.max(MARGIN, right)}px`;
  menu.style.bottom = `${bottom}px`;
  menu.style.maxHeight = `${clientHeight - bottom - MARGIN}px`;
}
