// What others wrote while a text was being written is shown before it goes, and asked about once.
import { newestShown } from "../conversation/newest-message.js";

/** @returns {HTMLFormElement | null} */
const form = () => document.querySelector("#composer");

/** @param {HTMLFormElement} of */
const boxOf = (of) => /** @type {HTMLTextAreaElement} */ (of.querySelector("textarea"));

/**
 * @param {HTMLFormElement} of
 * @param {string} name
 */
const field = (of, name) =>
  /** @type {HTMLInputElement} */ (of.querySelector(`input[name=${name}]`));

/** @returns {HTMLElement | null} */
const guard = () => document.querySelector(".guard");

/** What the page shows now has been seen: the box is empty, or just got the focus. */
function noteSeen() {
  const now = form();
  if (!now) return;
  const seen = field(now, "seen");
  // A page of old messages knows of newer ones all the same.
  seen.value = String(Math.max(Number(seen.value), newestShown()));
}

function dismiss() {
  guard()?.remove();
}

/**
 * The server held the text up.
 * @param {HTMLFormElement} of
 * @param {string} html
 */
export function ask(of, html) {
  dismiss();
  of.insertAdjacentHTML("beforebegin", html);
  // Not the other one: whoever presses Enter twice has not read it yet.
  guard()?.querySelector("button")?.focus();
}

/**
 * Whatever became of the text, the next one is asked about again.
 * @param {HTMLFormElement} of
 */
export function settleGuard(of) {
  field(of, "anyway").value = "";
  dismiss();
  noteSeen();
}

/** @param {string} first the message that came first */
function lookFirst(first) {
  noteSeen();
  dismiss();
  const now = form();
  if (now) boxOf(now).focus({ preventScroll: true });
  const message = document.getElementById(`message-${first}`);
  message?.scrollIntoView({ block: "center" });
  message?.classList.add("arrived");
}

document.addEventListener("click", (event) => {
  const now = form();
  if (!(event.target instanceof Element) || !now) return;
  const look = event.target.closest("[data-look]");
  if (look instanceof HTMLElement) lookFirst(look.dataset.look ?? "");
  if (!event.target.closest(".guard-send")) return;
  event.preventDefault();
  field(now, "anyway").value = "true";
  const send = now.querySelector(".send");
  if (send instanceof HTMLButtonElement) send.click();
});

document.addEventListener("keydown", (event) => {
  const open = guard();
  if (event.key !== "Escape" || !open?.contains(document.activeElement)) return;
  event.stopPropagation();
  dismiss();
  const now = form();
  if (now) boxOf(now).focus();
}, true);

document.addEventListener("focusin", (event) => {
  const now = form();
  if (now && event.target === boxOf(now)) noteSeen();
});

document.addEventListener("input", (event) => {
  const now = form();
  if (now && event.target === boxOf(now) && !boxOf(now).value) noteSeen();
});

document.addEventListener("partyline:placed", () => {
  const now = form();
  if (now && !boxOf(now).value) noteSeen();
});

// Among the team nothing is held up.
document.addEventListener("partyline:mode", dismiss);
