// Labels that administrators rename, recolour or delete while they are shown.
import { listen } from "../shared/events.js";

const COLOURS = ["violet", "blue", "pink", "green"];

/**
 * @param {Element} shown
 * @param {import("../shared/events.js").ChangedLabel} label
 */
function showLabel(shown, { name, colour }) {
  const word = shown.querySelector("[data-label-name]") ?? shown;
  if (word.textContent !== name) word.textContent = name;
  shown.classList.remove(...COLOURS);
  shown.classList.add(colour);
}

/** @param {number} id */
const shownLabels = (id) => document.querySelectorAll(`[data-label="${id}"]`);

listen("labels", (labels) => {
  for (const label of labels) {
    for (const shown of shownLabels(label.id)) {
      if (label.gone) (shown.closest("form[role=none]") ?? shown).remove();
      else showLabel(shown, label);
    }
  }
});
