// The send guard: what others wrote while a text was being written is shown before the text goes,
// and the agent is asked once whether to send it all the same.
import { newestMessageId } from "../conversation/newest-message.js";
import { closestTarget, focus } from "../shared/dom.js";
import { listen } from "../shared/events.js";
import { composerForm, formField, pressSend, textBox } from "../shared/page-elements.js";

/** @returns {HTMLElement | null} */
const guardElement = () => document.querySelector(".guard");

/** Notes what is shown as seen: called while the box is empty, or when it gets the focus. */
function markSeen() {
  const form = composerForm();
  if (!form) return;
  const seen = formField(form, "seen");
  // A page of old messages knows of newer ones all the same.
  seen.value = String(Math.max(Number(seen.value), newestMessageId()));
}

function closeSendGuard() {
  guardElement()?.remove();
}

/**
 * Leaves what came while a text was being written unseen, though its composer was drawn anew.
 * Giving the new box the focus marks everything as seen: call this after it.
 * @param {HTMLFormElement | null} old
 * @param {string} seen what the old form said before it went
 */
export function carrySeen(old, seen) {
  const form = composerForm();
  if (form && old && textBox(old).value) formField(form, "seen").value = seen;
}

/**
 * Asks what the server wants to have asked before it takes the text.
 * @param {HTMLFormElement} form
 * @param {string} html
 */
export function openSendGuard(form, html) {
  closeSendGuard();
  form.insertAdjacentHTML("beforebegin", html);
  // The first button, which sends nothing: whoever presses Enter twice has not read it yet.
  guardElement()?.querySelector("button")?.focus();
}

/**
 * Has the next text asked about again, whatever became of this one. What is typed next goes into
 * the box.
 * @param {HTMLFormElement} form
 */
export function resetSendGuard(form) {
  formField(form, "anyway").value = "";
  const hadFocus = guardElement()?.contains(document.activeElement);
  closeSendGuard();
  if (hadFocus) focus(textBox(form));
  markSeen();
}

/** @param {string} id of the first message that had come meanwhile */
function showUnseen(id) {
  markSeen();
  closeSendGuard();
  const form = composerForm();
  focus(form && textBox(form));
  const message = document.getElementById(`message-${id}`);
  message?.scrollIntoView({ block: "center" });
  message?.classList.add("arrived");
}

document.addEventListener("click", (event) => {
  const form = composerForm();
  const edit = closestTarget(event, ".guard-edit");
  if (edit) {
    event.preventDefault();
    closeSendGuard();
    // In a form of its own the box is another one.
    focus(document.querySelector(edit.getAttribute("href") ?? "#message-box"));
  }
  if (!form) return;
  const look = closestTarget(event, "[data-look]");
  if (look) showUnseen(look.dataset.look ?? "");
  const send = closestTarget(event, ".guard-send, .guard-later");
  if (!send) return;
  if (send.getAttribute("name") === "anyway") formField(form, "anyway").value = "true";
  // What says yes to a question, and which button it was about.
  for (const field of guardElement()?.querySelectorAll("input") ?? []) field.disabled = false;
  if (send.matches(".guard-later")) return;
  event.preventDefault();
  pressSend(form);
});

document.addEventListener("keydown", (event) => {
  const guard = guardElement();
  if (event.key !== "Escape" || !guard?.contains(document.activeElement)) return;
  event.stopPropagation();
  closeSendGuard();
  const form = composerForm();
  if (form) textBox(form).focus();
}, true);

document.addEventListener("submit", (event) => {
  const form = composerForm();
  if (!form || event.target !== form) return;
  const shown = formField(form, "shown");
  shown.value = String(Math.max(Number(shown.value), newestMessageId()));
}, true);

document.addEventListener("focusin", (event) => {
  const form = composerForm();
  if (form && event.target === textBox(form)) markSeen();
});

document.addEventListener("input", (event) => {
  const form = composerForm();
  if (form && event.target === textBox(form) && !textBox(form).value) markSeen();
});

listen("fragmentsChanged", () => {
  const form = composerForm();
  if (form && !textBox(form).value) markSeen();
});

// Messages to the team are not asked about.
listen("modeChanged", closeSendGuard);
