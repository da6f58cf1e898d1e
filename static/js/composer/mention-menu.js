// The menu that opens with an @, and the switch to internal as soon as somebody is mentioned.
import { closestTarget } from "../shared/dom.js";
import { listen } from "../shared/events.js";
import { foldText } from "../shared/folding.js";
import { composerForm, textBox } from "../shared/page-elements.js";
import { setInternal } from "./internal-mode.js";
import { hasAt, typedMention } from "./mentions.js";
import { mentionedHandles, readTeam } from "./team.js";

/** @typedef {import("./team.js").Member} Member */

/** The start of the @ whose menu was closed with Escape; -1 if none. */
let dismissedAt = -1;

/** @returns {HTMLElement | null} */
const menuElement = () => document.querySelector("#mention-menu");

/** @returns {HTMLTextAreaElement | null} */
const messageBox = () => document.querySelector("#message-box");

/** @returns {HTMLElement[]} */
const menuOptions = () => [...(menuElement()?.querySelectorAll("li") ?? [])];

/** @param {HTMLElement} option */
const isChosen = (option) => option.getAttribute("aria-selected") === "true";

/** Makes the message internal if a member is mentioned in it; it then stays so. */
async function switchIfMentioned() {
  const form = composerForm();
  if (!form?.dataset.mentions || !hasAt(textBox(form).value)) return;
  if (mentionedHandles(form).length) setInternal(form, true);
  else if ((await readTeam()) && composerForm() === form && mentionedHandles(form).length) {
    setInternal(form, true);
  }
}

/**
 * @param {Member} member
 * @param {number} index its place in the menu: handles of any script may differ in no ASCII letter
 */
function drawOption(member, index) {
  const option = document.createElement("li");
  option.setAttribute("role", "option");
  option.id = `mention-${index}`;
  option.dataset.handle = member.handle;
  const name = document.createElement("span");
  name.className = "mention-name";
  name.textContent = member.name;
  const handle = document.createElement("span");
  handle.className = "mention-handle";
  handle.textContent = `@${member.handle}`;
  option.append(name, " ", handle);
  return option;
}

/** @param {Member[]} members */
function drawMenu(members) {
  const list = document.createElement("ul");
  list.className = "mention-menu";
  list.id = "mention-menu";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Mention someone");
  list.append(...members.map(drawOption));
  return list;
}

/** @param {HTMLElement | undefined} chosen none if undefined */
function chooseOption(chosen) {
  for (const option of menuOptions()) {
    option.setAttribute("aria-selected", String(option === chosen));
  }
  chosen?.scrollIntoView({ block: "nearest" });
  // The box stays a textbox of many lines, which no combobox may be. What is active in the list is
  // told by aria-activedescendant, which a textbox has too.
  if (chosen) messageBox()?.setAttribute("aria-activedescendant", chosen.id);
  else messageBox()?.removeAttribute("aria-activedescendant");
}

/**
 * Moves the choice; past either end nothing is chosen.
 * @param {number} by options down, or up if below zero
 */
function moveChoice(by) {
  const options = menuOptions();
  const here = options.findIndex(isChosen);
  const last = options.length - 1;
  if (here < 0) chooseOption(options[by > 0 ? 0 : last]);
  else chooseOption(options[here + by]);
}

export function closeMentionMenu() {
  menuElement()?.remove();
  messageBox()?.removeAttribute("aria-controls");
  messageBox()?.removeAttribute("aria-activedescendant");
}

/**
 * Returns the @ before the caret with the letters behind it, unless its menu was closed.
 * @param {HTMLTextAreaElement} box
 */
function mentionAtCaret(box) {
  const caret = box.selectionStart;
  const typed = caret === box.selectionEnd ? typedMention(box.value.slice(0, caret)) : null;
  const start = typed ? caret - typed.length : -1;
  if (start !== dismissedAt) dismissedAt = -1;
  return typed && start !== dismissedAt ? { start, letters: typed.letters } : null;
}

/**
 * Returns whom the letters before the caret may mean, in the members' order.
 * @param {HTMLTextAreaElement} box
 */
async function findMembers(box) {
  if (!composerForm()?.dataset.mentions || !mentionAtCaret(box)) return [];
  const team = await readTeam();
  // Meanwhile somebody may have typed on, or left.
  const typed = box === messageBox() ? mentionAtCaret(box) : null;
  if (!team || !typed) return [];
  const wanted = foldText(typed.letters);
  return team.members.filter(({ words }) => words.some((word) => word.startsWith(wanted)));
}

/** Opens, narrows or closes the menu, as the text before the caret has it. */
async function updateMenu() {
  const box = messageBox();
  const found = box ? await findMembers(box) : [];
  closeMentionMenu();
  if (!box || !found.length || document.activeElement !== box) return;
  const menu = drawMenu(found);
  box.after(menu);
  box.setAttribute("aria-controls", menu.id);
  chooseOption(menuOptions()[0]);
}

/** @param {HTMLElement} option whose handle takes the place of what was typed */
function insertHandle(option) {
  const box = messageBox();
  const typed = box && mentionAtCaret(box);
  closeMentionMenu();
  if (!typed) return;
  box.setRangeText(`@${option.dataset.handle} `, typed.start, box.selectionEnd, "end");
  box.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertText" }));
}

/**
 * @param {KeyboardEvent} event
 * @returns {boolean} whether the key meant the menu
 */
function handleMenuKey(event) {
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    moveChoice(event.key === "ArrowDown" ? 1 : -1);
    return true;
  }
  if (event.key === "Escape") {
    const box = messageBox();
    dismissedAt = (box && mentionAtCaret(box)?.start) ?? -1;
    closeMentionMenu();
    return true;
  }
  const chosen = menuOptions().find(isChosen);
  if (!chosen || (event.key !== "Enter" && event.key !== "Tab")) return false;
  insertHandle(chosen);
  return true;
}

document.addEventListener("keydown", (event) => {
  if (!menuElement() || event.target !== messageBox()) return;
  if (event.shiftKey || event.metaKey || event.altKey || event.ctrlKey) return;
  if (!handleMenuKey(event)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);

// A press on the menu leaves the focus in the box.
document.addEventListener("mousedown", (event) => {
  if (closestTarget(event, "#mention-menu")) event.preventDefault();
});

document.addEventListener("click", (event) => {
  const option = closestTarget(event, "#mention-menu [role=option]");
  if (option) insertHandle(option);
});

document.addEventListener("focusout", (event) => {
  if (event.target === messageBox()) closeMentionMenu();
});

document.addEventListener("input", (event) => {
  if (!(event.target instanceof HTMLTextAreaElement) || event.target !== messageBox()) return;
  const isPasted = event instanceof InputEvent && event.inputType === "insertFromPaste";
  if (isPasted) closeMentionMenu();
  else updateMenu();
  switchIfMentioned();
});

/** The text has gone whose menu was closed: another @ in its place opens one. */
function forgetDismissed() {
  dismissedAt = -1;
}

listen("messageSent", forgetDismissed);
for (const change of /** @type {const} */ (["viewChanged", "draftReplaced"])) {
  listen(change, forgetDismissed);
  listen(change, switchIfMentioned);
}
