// The eye: whether a message goes to the customer or to the team. Box, words and button change
// together, and only by the agent, by a mention or with the agent's own draft.
import { closestTarget } from "../shared/dom.js";
import { announce } from "../shared/events.js";
import { composerForm, formField } from "../shared/page-elements.js";
import { showToast } from "../shared/toasts.js";
import { mentionedHandles } from "./team.js";

/** @param {HTMLFormElement} form */
export const isInternal = (form) => formField(form, "is_internal").value === "true";

/**
 * Switches the composer; it stays internal where nothing else is possible.
 * @param {HTMLFormElement} form
 * @param {boolean} wanted
 */
export function setInternal(form, wanted) {
  const eye = form.querySelector(".eye");
  if (!eye || isInternal(form) === wanted || (!wanted && "onlyInternal" in form.dataset)) return;
  formField(form, "is_internal").value = String(wanted);
  form.classList.toggle("is-internal", wanted);
  eye.setAttribute("aria-pressed", String(wanted));
  const box = form.querySelector("textarea");
  if (box) box.placeholder = (wanted ? box.dataset.toTeam : box.dataset.toCustomer) ?? "";
  const spoken = form.querySelector("[data-mode]");
  if (spoken) {
    spoken.textContent = wanted ? "Internal. Only your team sees this." : "To the customer.";
  }
  announce("modeChanged", { isInternal: wanted });
}

/** @param {HTMLFormElement} form */
function toggleInternal(form) {
  const [mentioned] = mentionedHandles(form);
  if (isInternal(form) && mentioned) {
    showToast(
      `Mentions are for your team only. Remove @${mentioned} to write to the customer.`,
    );
    return;
  }
  setInternal(form, !isInternal(form));
}

document.addEventListener("click", (event) => {
  const form = composerForm();
  if (!form || !closestTarget(event, "#composer .eye")) return;
  // Without scripts the button asks the server instead.
  event.preventDefault();
  toggleInternal(form);
});

document.addEventListener("keydown", (event) => {
  const form = composerForm();
  if (!form || !(event.target instanceof HTMLTextAreaElement) || event.target.form !== form) return;
  if (event.key.toLowerCase() !== "i" || event.altKey || event.shiftKey) return;
  if (event.ctrlKey === event.metaKey || !form.querySelector(".eye")) return;
  event.preventDefault();
  toggleInternal(form);
});
