// The handset: both sides in the order of time, times in the browser's time zone, and words that are
// gone once they are no longer true.
import { rewriteTimes } from "./shared/times.js";

/** @returns {HTMLElement | null} */
const log = () => document.querySelector(".phone-log");

/** Puts what was sent between what arrived, and shows the newest. */
function arrangeTexts() {
  const scroller = log();
  for (const text of scroller?.querySelectorAll("[data-place]") ?? []) {
    if (text instanceof HTMLElement) text.style.order = text.dataset.place ?? "";
  }
  if (scroller) scroller.scrollTop = scroller.scrollHeight;
}

/** @param {EventTarget | null} target */
const formOf = (target) =>
  target instanceof Element && "form" in target && target.form instanceof HTMLFormElement
    ? target.form
    : null;

/** @param {HTMLFormElement} form */
function forgetAnswer(form) {
  for (const error of form.querySelectorAll(".field-error")) error.remove();
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  const status = form.querySelector("[role=status]");
  if (status) status.textContent = "";
}

rewriteTimes(document);
arrangeTexts();

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  rewriteTimes(document);
  if (ctx.target?.id === "received") arrangeTexts();
  else if (ctx.target?.id === "handset") log()?.firstElementChild?.dispatchEvent(new Event("sent"));
});

for (const type of ["input", "change"]) {
  document.addEventListener(type, ({ target }) => {
    const form = formOf(target);
    if (form) forgetAnswer(form);
  });
}

// Shows which pictures go along with the next text.
document.addEventListener("change", ({ target }) => {
  if (!(target instanceof HTMLInputElement) || target.type !== "file") return;
  const chosen = target.form?.querySelector("[data-chosen]");
  if (chosen) chosen.textContent = [...(target.files ?? [])].map((file) => file.name).join(", ");
});
