// The eye: to the customer, or to the team. Box, words and button change together, and nothing
// but the agent, a mention or the agent's own draft changes them.
import { tell } from "../shared/toasts.js";

/** @returns {HTMLFormElement | null} */
const form = () => document.querySelector("#composer");

/** @param {HTMLFormElement} of */
const field = (of) => /** @type {HTMLInputElement} */ (of.elements.namedItem("is_internal"));

/** @param {HTMLFormElement} of */
export const isInternal = (of) => field(of).value === "true";

/**
 * @param {HTMLFormElement} of
 * @param {boolean} wanted
 */
export function setMode(of, wanted) {
  const eye = of.querySelector(".eye");
  if (!eye || isInternal(of) === wanted || (!wanted && "onlyInternal" in of.dataset)) return;
  field(of).value = String(wanted);
  of.classList.toggle("is-internal", wanted);
  eye.setAttribute("aria-pressed", String(wanted));
  const box = of.querySelector("textarea");
  if (box) box.placeholder = (wanted ? box.dataset.toTeam : box.dataset.toCustomer) ?? "";
  const said = of.querySelector("[data-mode]");
  if (said) said.textContent = wanted ? "Internal. Only your team sees this." : "To the customer.";
  document.dispatchEvent(new CustomEvent("partyline:mode", { detail: { isInternal: wanted } }));
}

/** @param {HTMLFormElement} of */
function toggle(of) {
  const question = new CustomEvent("partyline:keeps-internal", { detail: { mentioned: "" } });
  document.dispatchEvent(question);
  const { mentioned } = question.detail;
  if (isInternal(of) && mentioned) {
    tell(`A mention goes to your team only. Take out @${mentioned} to write to the customer.`);
    return;
  }
  setMode(of, !isInternal(of));
}

document.addEventListener("click", (event) => {
  const eye = event.target instanceof Element && event.target.closest("#composer .eye");
  const now = form();
  if (!eye || !now) return;
  // Without scripts the button asks the server instead.
  event.preventDefault();
  toggle(now);
});

document.addEventListener("keydown", (event) => {
  const now = form();
  if (!now || !(event.target instanceof HTMLTextAreaElement) || event.target.form !== now) return;
  if (event.key.toLowerCase() !== "i" || event.altKey || event.shiftKey) return;
  if (event.ctrlKey === event.metaKey || !now.querySelector(".eye")) return;
  event.preventDefault();
  toggle(now);
});
