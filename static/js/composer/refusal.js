// Whether the open thread takes texts changed: its composer becomes another one, and what was
// typed stays.
import { openComposer } from "./composer.js";
import { keepDraft } from "./drafts.js";

/** What the page was told last, while it does something about it. */
let wanted = "";

/** @param {number} thread */
const isOpen = (thread) =>
  document.querySelector("article.thread")?.getAttribute("data-thread") === String(thread);

const reply = () => document.getElementById("reply");

/** @returns {HTMLTextAreaElement | null} */
const box = () => document.querySelector("#message-box");

/** @param {{thread: number, refusal: string}} told */
async function change(told) {
  const asked = reply();
  await keepDraft();
  let html = "";
  try {
    const answer = await fetch(`/threads/${told.thread}/composer/`);
    if (answer.ok && !answer.redirected) html = await answer.text();
  } catch {
    // Offline: the catch-up that follows says it again.
  }
  const old = reply();
  if (!html || !old || old !== asked || !isOpen(told.thread)) return;
  const typed = box();
  const hadFocus = old.contains(document.activeElement);
  const template = document.createElement("template");
  template.innerHTML = html;
  const fresh = template.content.querySelector("#reply");
  if (!fresh) return;
  old.replaceWith(fresh);
  window.htmx?.process(fresh);
  // What was typed while the server was asked is in the tab's own storage, and comes back too.
  openComposer();
  const now = box();
  if (now && typed) now.setSelectionRange(typed.selectionStart, typed.selectionEnd);
  if (hadFocus && now) now.focus({ preventScroll: true });
  document.dispatchEvent(new CustomEvent("partyline:drafted"));
}

document.addEventListener("partyline:standing", async (event) => {
  const told = /** @type {CustomEvent} */ (event).detail;
  const shown = reply()?.dataset.refusal;
  if (!isOpen(told.thread) || shown === undefined || shown === told.refusal) return;
  if (wanted === `${told.thread} ${told.refusal}`) return;
  wanted = `${told.thread} ${told.refusal}`;
  await change(told);
  wanted = "";
});
