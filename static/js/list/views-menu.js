// The menu of all views, and the one that is chosen in their row.
import { closestTarget, focus } from "../shared/dom.js";
import { listen } from "../shared/events.js";
import { hookPopoverMenu } from "../shared/popover-menu.js";

/** Here the views are a column; the style sheet uses the same words. */
const column = matchMedia("(min-width: 1680px)");
/** Pixels between the menu and the edge of the window. */
const MARGIN = 8;
/** Pixels at the edges of the row where it fades out, as the style sheet says. */
const FADE = 28;

/** The row that was placed last, and the view that was chosen in it. */
let placed = "";
/** @type {HTMLElement | null} */
let placedRow = null;

/** @returns {HTMLElement | null} */
const panel = () => document.querySelector("#views-panel");

/** @returns {HTMLElement | null} */
const button = () => document.querySelector("#views-button");

/** @returns {HTMLElement | null} */
const chosenLink = () => panel()?.querySelector(".view[aria-current]") ?? null;

/** @returns {HTMLElement[]} */
const links = () => [...(panel()?.querySelectorAll(".view") ?? [])].filter((one) => one instanceof HTMLElement);

hookPopoverMenu({
  menu: panel,
  button,
  position(menu, place) {
    const { clientHeight } = document.documentElement;
    // In place of the row.
    const top = Math.min(place.top - 4, clientHeight / 4);
    menu.style.top = `${top}px`;
    menu.style.maxHeight = `${clientHeight - top - MARGIN}px`;
  },
  firstItem: () => chosenLink() ?? links()[0],
});

document.addEventListener("keydown", (event) => {
  const open = panel();
  if (!open?.matches(":popover-open")) {
    if (event.key !== "ArrowDown" || event.target !== button()) return;
    event.preventDefault();
    open?.showPopover();
    return;
  }
  if (!(event.target instanceof HTMLElement) || !open.contains(event.target)) return;
  const all = links();
  const here = all.indexOf(event.target);
  const next = {
    ArrowDown: (here + 1) % all.length,
    ArrowUp: here <= 0 ? all.length - 1 : here - 1,
    Home: 0,
    End: all.length - 1,
  }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  focus(all[next]);
});

document.addEventListener("click", (event) => {
  const open = panel();
  if (!open?.matches(":popover-open") || !open.contains(closestTarget(event, ".view"))) return;
  open.hidePopover();
  revealChosen();
});

column.addEventListener("change", () => {
  const open = panel();
  if (column.matches && open?.matches(":popover-open")) open.hidePopover();
});

/** Scrolls the row of views as far as it takes to see the chosen one, and nothing else. */
function revealChosen() {
  const row = panel();
  const link = chosenLink();
  if (!row || !link || row.matches(":popover-open")) return;
  const chosen = link.getAttribute("href") ?? "";
  if (row === placedRow && chosen === placed) return;
  [placedRow, placed] = [row, chosen];
  const end = link.getBoundingClientRect().right - row.getBoundingClientRect().left;
  row.scrollLeft = Math.max(0, row.scrollLeft + end + FADE - row.clientWidth);
  showBeginning();
}

/** Fades out the beginning of the row where it is out of sight. */
function showBeginning() {
  const row = panel();
  row?.classList.toggle("is-scrolled", row.scrollLeft > 0);
}

document.addEventListener("scroll", (event) => {
  if (event.target === panel()) showBeginning();
}, { capture: true, passive: true });

listen("viewChanged", revealChosen);
revealChosen();
