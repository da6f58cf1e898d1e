// The @ menu, and the switch to internal as soon as somebody is mentioned.
import { listen } from "../shared/events.js";
import { composerForm, textBox } from "../shared/page-elements.js";
import { setInternal } from "./internal-mode.js";
import { fold } from "./mentions.js";
import { mentionedHandles, readTeam } from "./team.js";

/** @typedef {import("./team.js").Member} Member */

/** The menu's script is fetched after the rest of the page, or with the first @. */
const LOAD_AFTER_MS = 2_000;

/** Makes the message internal if a member is mentioned in it; it then stays so. */
async function switchIfMentioned() {
  const form = composerForm();
  if (!form?.dataset.mentions || !textBox(form).value.includes("@")) return;
  if (mentionedHandles(form).length) setInternal(form, true);
  else if ((await readTeam()) && composerForm() === form && mentionedHandles(form).length) {
    setInternal(form, true);
  }
}

/** @param {Member} member */
function drawOption(member) {
  const option = document.createElement("li");
  option.setAttribute("role", "option");
  option.id = `mention-${member.handle.replace(/[^\w-]/g, "_")}`;
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

/**
 * @param {string} letters what follows the @
 * @returns {Promise<import("../../vendor/text-expander.js").TextExpanderResult>}
 */
async function drawMenu(letters) {
  const wanted = fold(letters);
  const found = (await readTeam())?.members.filter((member) =>
    member.words.some((word) => word.startsWith(wanted)),
  );
  if (!found?.length) return { matched: false };
  const list = document.createElement("ul");
  list.className = "mention-menu";
  list.id = "mention-menu";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Mention someone");
  list.append(...found.map(drawOption));
  return { matched: true, fragment: list };
}

let isLoaded = false;

async function loadMenu() {
  if (isLoaded) return;
  try {
    await import("../../vendor/text-expander.js");
  } catch {
    // Offline; the next @ tries again.
    return;
  }
  isLoaded = true;
  // An @ that was typed before the menu was there is typed again for it.
  const box = document.activeElement;
  if (box instanceof HTMLTextAreaElement && box.value.includes("@")) {
    box.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }
}

setTimeout(loadMenu, LOAD_AFTER_MS);

document.addEventListener("text-expander-change", (event) => {
  event.detail.provide(drawMenu(event.detail.text));
}, true);

document.addEventListener("text-expander-value", (event) => {
  event.detail.value = `@${event.detail.item.dataset.handle}`;
}, true);

document.addEventListener("text-expander-committed", ({ detail: { input } }) => {
  input.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertText" }));
}, true);

// The box stays a textbox of many lines, which no combobox may be. What is active in the list is
// told by aria-activedescendant, which a textbox has too.
document.addEventListener("text-expander-activate", (event) => {
  const box = textBox(/** @type {Element} */ (event.target));
  queueMicrotask(() => {
    box.removeAttribute("role");
    box.removeAttribute("aria-expanded");
  });
}, true);

document.addEventListener("input", (event) => {
  if (!(event.target instanceof HTMLTextAreaElement) || event.target.id !== "message-box") return;
  if (event.target.value.includes("@")) loadMenu();
  switchIfMentioned();
});

listen("viewChanged", switchIfMentioned);
listen("draftReplaced", switchIfMentioned);
