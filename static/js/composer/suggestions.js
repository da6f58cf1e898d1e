// A list that opens over a box for what is typed in it: further letters narrow it, the arrow keys
// move in it, Enter, Tab and the pointer choose from it, Escape closes it.
import { closestTarget } from "../shared/dom.js";
import { listen } from "../shared/events.js";

/** @typedef {HTMLTextAreaElement | HTMLInputElement} Box */

/**
 * What is typed before the caret and means a list: where it starts in the box, and its letters.
 * @typedef {{start: number, letters: string}} Typed
 */

/**
 * @template Item
 * @typedef {object} Suggestions
 * @property {string} id of the listbox, and the beginning of its options' ids
 * @property {string} label the listbox's name
 * @property {(box: Element) => boolean} isBox whether the list opens over this box
 * @property {(box: Box) => Typed | null} findTyped
 * @property {(box: Box, letters: string) => Promise<Item[]>} findItems
 * @property {(item: Item, letters: string) => (Node | string)[]} draw what an option shows
 * @property {(box: Box, item: Item, typed: Typed) => void} choose
 * @property {(box: Box, list: HTMLElement) => Element} [place] puts the list into the page, and
 *   returns what goes when the list is closed
 * @property {boolean} [isSearch] the box is there for the list alone: it stays while nothing is
 *   found, and Tab leaves it
 * @property {boolean} [waitsForWord] the list never opens while an input method composes a word
 * @property {() => void} [dismissed] called after Escape
 * @property {() => void} [closed] called after every other end, too
 */

/**
 * @template Item
 * @typedef {object} OpenList
 * @property {Box} box
 * @property {HTMLElement} list
 * @property {Element} whole the list with all around it that goes with it
 * @property {Item[]} items
 */

/** @param {Element} option */
const isChosen = (option) => option.getAttribute("aria-selected") === "true";

/**
 * @param {Box} box
 * @param {HTMLElement} list
 */
function placeBehind(box, list) {
  box.after(list);
  return list;
}

/**
 * @template Item
 * @param {Suggestions<Item>} suggestions
 * @returns {{open: (box: Box) => Promise<void>, update: (box: Box) => Promise<void>, close: () => void}}
 */
export function hookSuggestions({
  id,
  label,
  isBox,
  findTyped,
  findItems,
  draw,
  choose,
  place = placeBehind,
  isSearch = false,
  waitsForWord = false,
  dismissed,
  closed,
}) {
  /** @type {OpenList<Item> | null} */
  let open = null;
  /** Where what is typed starts whose list was closed with Escape; -1 if nowhere. */
  let dismissedAt = -1;
  /** How often items were looked for: what an earlier look found is out of date. */
  let looks = 0;

  /** @param {Box} box */
  function typedNow(box) {
    const typed = findTyped(box);
    if (typed?.start !== dismissedAt) dismissedAt = -1;
    return dismissedAt < 0 ? typed : null;
  }

  /** @returns {OpenList<Item> | null} nothing if the page was drawn anew around it */
  const shown = () => (open?.list.isConnected ? open : null);

  /** @returns {Element[]} */
  const options = () => [...(open?.list.children ?? [])];

  function close() {
    looks += 1;
    if (!open) return;
    const { box, whole } = open;
    // With a search the focus is in what goes, and leaves it just then.
    open = null;
    whole.remove();
    box.removeAttribute("aria-controls");
    box.removeAttribute("aria-activedescendant");
    closed?.();
  }

  /** @param {Element | undefined} chosen none if undefined */
  function mark(chosen) {
    for (const option of options()) {
      option.setAttribute("aria-selected", String(option === chosen));
    }
    chosen?.scrollIntoView({ block: "nearest" });
    // A textbox of many lines may be no combobox. What is active in the list is told by
    // aria-activedescendant, which a textbox has too.
    if (chosen) open?.box.setAttribute("aria-activedescendant", chosen.id);
    else open?.box.removeAttribute("aria-activedescendant");
  }

  /**
   * Moves the mark; past either end nothing is marked.
   * @param {number} by options down, or up if below zero
   */
  function move(by) {
    const all = options();
    const here = all.findIndex(isChosen);
    if (here < 0) mark(all[by > 0 ? 0 : all.length - 1]);
    else mark(all[here + by]);
  }

  /**
   * @param {Box} box
   * @returns {OpenList<Item>}
   */
  function openOver(box) {
    const list = document.createElement("ul");
    list.id = id;
    list.className = "suggestion-list";
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", label);
    const whole = place(box, list);
    box.setAttribute("aria-controls", id);
    return { box, list, whole, items: [] };
  }

  /**
   * @param {Box} box
   * @param {Item[]} items
   * @param {string} letters
   */
  function show(box, items, letters) {
    if (shown()?.box !== box) {
      close();
      open = openOver(box);
    }
    if (!open) return;
    open.items = items;
    open.list.replaceChildren(
      ...items.map((item, index) => {
        const option = document.createElement("li");
        option.id = `${id}-${index}`;
        option.setAttribute("role", "option");
        option.append(...draw(item, letters));
        return option;
      }),
    );
    mark(options()[0]);
  }

  /**
   * Opens, narrows or closes the list, as what is typed has it.
   * @param {Box} box
   */
  async function update(box) {
    looks += 1;
    const look = looks;
    const typed = typedNow(box);
    const items = typed ? await findItems(box, typed.letters) : [];
    // Meanwhile somebody may have typed on, or left.
    if (look !== looks) return;
    const isWanted = typed && (items.length > 0 || isSearch) && document.activeElement === box;
    if (isWanted) show(box, items, typed.letters);
    else close();
  }

  /** @param {Element} option */
  function take(option) {
    if (!open) return;
    const { box, items } = open;
    const item = items[options().indexOf(option)];
    const typed = findTyped(box);
    close();
    if (item !== undefined && typed) choose(box, item, typed);
  }

  function dismiss() {
    if (!open) return;
    const { box } = open;
    dismissedAt = isSearch ? -1 : (findTyped(box)?.start ?? -1);
    close();
    dismissed?.();
  }

  /**
   * @param {KeyboardEvent} event
   * @returns {boolean} whether the key meant the list
   */
  function handleKey({ key }) {
    if (key === "ArrowDown" || key === "ArrowUp") move(key === "ArrowDown" ? 1 : -1);
    else if (key === "Escape") dismiss();
    else if (key === "Enter" || (key === "Tab" && !isSearch)) {
      const chosen = options().find(isChosen);
      if (!chosen) return isSearch;
      take(chosen);
    } else return false;
    return true;
  }

  function closeIfOver() {
    const over = shown();
    if (over && !typedNow(over.box)) close();
  }

  document.addEventListener("keydown", (event) => {
    const over = shown();
    const isOnBox = event.target === over?.box;
    if (!isOnBox && event.key === "Escape" && over?.whole.contains(/** @type {Node} */ (event.target))) {
      event.preventDefault();
      event.stopImmediatePropagation();
      dismiss();
      over.box.focus();
    }
    if (!isOnBox) return;
    if (event.shiftKey || event.metaKey || event.altKey || event.ctrlKey) return;
    if (!handleKey(event)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);

  // A press on the list leaves the focus in the box.
  document.addEventListener("mousedown", (event) => {
    if (event.target instanceof Node && shown()?.list.contains(event.target)) {
      event.preventDefault();
    }
  });

  document.addEventListener("click", (event) => {
    const option = closestTarget(event, "[role=option]");
    if (option && shown()?.list.contains(option)) take(option);
  });

  document.addEventListener("focusout", ({ target, relatedTarget }) => {
    const over = shown();
    if (!over || (target !== over.box && !over.whole.contains(/** @type {Node} */ (target)))) return;
    const isInside = relatedTarget instanceof Node && over.whole.contains(relatedTarget);
    if (!isInside && relatedTarget !== over.box) close();
  });

  document.addEventListener("input", (event) => {
    const box = event.target;
    if (!isTypedBox(box) || !isBox(box)) return;
    const { inputType, isComposing } = /** @type {InputEvent} */ (event);
    if (inputType === "insertFromPaste" && !isSearch) close();
    else if (!isComposing || !waitsForWord) update(box);
  });

  if (waitsForWord) {
    document.addEventListener("compositionend", ({ target }) => {
      if (isTypedBox(target) && isBox(target)) update(target);
    });
  }

  // The caret left what was typed.
  document.addEventListener("selectionchange", () => {
    if (document.activeElement === shown()?.box) closeIfOver();
  });

  // The text has gone whose list was closed: another one in its place opens it.
  for (const change of /** @type {const} */ (["messageSent", "viewChanged", "draftReplaced"])) {
    listen(change, () => {
      dismissedAt = -1;
      closeIfOver();
    });
  }

  return {
    open: (box) => {
      show(box, [], "");
      return update(box);
    },
    update,
    close,
  };
}

/**
 * @param {EventTarget | null} target
 * @returns {target is Box}
 */
const isTypedBox = (target) =>
  target instanceof HTMLTextAreaElement || target instanceof HTMLInputElement;
