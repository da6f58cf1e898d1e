// The menu that opens with an @, and the switch to internal as soon as somebody is mentioned.
import { listen } from "../shared/events.js";
import { foldText } from "../shared/folding.js";
import { composerForm, textBox } from "../shared/page-elements.js";
import { insertText } from "./inserted-text.js";
import { setInternal } from "./internal-mode.js";
import { hasAt, typedMention } from "./mentions.js";
import { hookSuggestions } from "./suggestions.js";
import { mentionedHandles, readTeam } from "./team.js";

/** @typedef {import("./team.js").Member} Member */
/** @typedef {import("./suggestions.js").Box} Box */

/** @returns {HTMLTextAreaElement | null} */
const messageBox = () => document.querySelector("#message-box");

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
 * @param {string} className
 * @param {string} text
 */
function createSpan(className, text) {
  const span = document.createElement("span");
  span.className = className;
  span.textContent = text;
  return span;
}

/**
 * Returns the @ before the caret with the letters behind it.
 * @param {Box} box
 */
function findTyped(box) {
  const caret = box.selectionStart ?? 0;
  const typed = caret === box.selectionEnd ? typedMention(box.value.slice(0, caret)) : null;
  return typed && { start: caret - typed.length, letters: typed.letters };
}

/**
 * Returns whom the letters may mean, in the members' order.
 * @param {Box} _
 * @param {string} letters
 */
async function findMembers(_, letters) {
  const team = composerForm()?.dataset.mentions ? await readTeam() : null;
  const wanted = foldText(letters);
  return team?.members.filter(({ words }) => words.some((word) => word.startsWith(wanted))) ?? [];
}

const menu = hookSuggestions({
  id: "mention-menu",
  label: "Mention someone",
  isBox: (box) => box === messageBox(),
  findTyped,
  findItems: findMembers,
  draw: (member) => [
    createSpan("mention-name", member.name),
    " ",
    createSpan("mention-handle", `@${member.handle}`),
  ],
  choose: (box, member, { start }) => {
    const end = box.selectionEnd ?? start;
    insertText(box, `@${member.handle} `, { start, end });
  },
});

document.addEventListener("input", ({ target }) => {
  if (target === messageBox()) switchIfMentioned();
});
for (const change of /** @type {const} */ (["viewChanged", "draftReplaced"])) {
  listen(change, switchIfMentioned);
}

// What was typed before this module was there.
switchIfMentioned();
const early = messageBox();
if (early && early === document.activeElement && early.value !== early.defaultValue) {
  menu.update(early);
}
