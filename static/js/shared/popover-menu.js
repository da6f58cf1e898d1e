// A menu in a popover: opens beside its button, and follows it when the window changes its size.

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
