// How near a text is to the most that its number's carrier takes.

/**
 * @param {HTMLFormElement} form
 * @param {string} text
 * @param {number} limit in characters; 0 if it is not known yet
 */
export function showLength(form, text, limit) {
  const left = form.querySelector("[data-left]");
  if (!(left instanceof HTMLElement)) return;
  const length = [...text.trim()].length;
  left.hidden = !limit || length <= limit * 0.9;
  left.textContent = length > limit ? `${length - limit} too many` : `${limit - length} left`;
  left.classList.toggle("over", length > limit);
}

document.addEventListener("input", ({ target }) => {
  if (!(target instanceof HTMLTextAreaElement) || target.form?.id !== "change-later") return;
  showLength(target.form, target.value, Number(target.form.dataset.limit));
});
