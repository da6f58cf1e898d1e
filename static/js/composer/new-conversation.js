// The form for a first text: what is known of the number while it is typed, and the contacts that
// it may become.
import { closestTarget } from "../shared/dom.js";
import { formField } from "../shared/page-elements.js";
import { fetchHtml } from "../shared/requests.js";
import { showSegments } from "./segments.js";
import { showLength } from "./text-length.js";
import { rewriteTimes } from "../shared/times.js";

const PAUSE_MS = 200;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
/** @type {AbortController | null} */
let asking = null;

/** @returns {HTMLFormElement | null} */
const startForm = () => document.querySelector("#start");

/** @param {HTMLFormElement} form */
async function askAboutNumber(form) {
  clearTimeout(timer);
  asking?.abort();
  asking = new AbortController();
  const { signal } = asking;
  const fields = { inbox: formField(form, "inbox").value, to: formField(form, "to").value };
  const address = `${form.dataset.about}?${new URLSearchParams(fields)}`;
  // Without an answer nothing is lost: sending says all of it again.
  const html = await fetchHtml(address, { signal });
  if (html !== null) showAboutNumber(form, html);
}

/**
 * @param {HTMLFormElement} form
 * @param {string} html
 */
function showAboutNumber(form, html) {
  const about = form.querySelector("#start-about");
  if (!about || about.innerHTML === html) return;
  about.innerHTML = html;
  rewriteTimes(about);
  const address = about.querySelector("[data-address]")?.getAttribute("data-address") ?? "";
  formField(form, "checked").value = address;
}

/** @param {HTMLElement} field */
function clearError(field) {
  field.removeAttribute("aria-invalid");
  const error = field.closest(".field")?.querySelector(":scope > .field-error");
  if (error) error.textContent = "";
}

/**
 * Shows the segments of the text, and how near it is to what the chosen number's carrier takes.
 * @param {HTMLFormElement} form
 */
function measureText(form) {
  const chosen = form.querySelector("#start-from option:checked");
  const limit = chosen instanceof HTMLOptionElement ? Number(chosen.dataset.limit ?? 0) : 0;
  const box = form.querySelector("#start-body");
  if (!(box instanceof HTMLTextAreaElement)) return;
  showSegments(form, box.value);
  showLength(form, box.value, limit);
}

/** @param {HTMLFormElement} form */
const suggestionButtons = (form) =>
  /** @type {HTMLElement[]} */ ([...form.querySelectorAll(".suggestions button")]);

document.addEventListener("input", (event) => {
  const form = startForm();
  const field = event.target;
  if (!form || !(field instanceof HTMLElement) || !form.contains(field)) return;
  clearError(field);
  if (field instanceof HTMLTextAreaElement) measureText(form);
  else {
    clearTimeout(timer);
    timer = setTimeout(() => askAboutNumber(form), PAUSE_MS);
  }
});

document.addEventListener("change", (event) => {
  const form = startForm();
  if (form && event.target instanceof Element && event.target.matches("#start-to, #start-from")) {
    askAboutNumber(form);
    measureText(form);
  }
});

// The second half of a double click would only break off the first one's answer.
document.addEventListener("submit", (event) => {
  const form = startForm();
  if (!form || event.target !== form) return;
  if ("isSent" in form.dataset) event.preventDefault();
  form.dataset.isSent = "";
});

window.addEventListener("pageshow", () => {
  delete startForm()?.dataset.isSent;
});

document.addEventListener("click", (event) => {
  const form = startForm();
  const suggestion = closestTarget(event, "#start [data-to]");
  if (!form || !suggestion) return;
  const field = formField(form, "to");
  field.value = suggestion.dataset.to ?? "";
  clearError(field);
  field.dispatchEvent(new Event("change", { bubbles: true }));
  document.getElementById("start-body")?.focus();
});

document.addEventListener("keydown", (event) => {
  const form = startForm();
  const here = event.target;
  if (!form || !(here instanceof HTMLElement) || !form.contains(here)) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form.requestSubmit();
    return;
  }
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const all = [formField(form, "to"), ...suggestionButtons(form)];
  const index = all.indexOf(here);
  const next = all[index + (event.key === "ArrowDown" ? 1 : -1)];
  if (index < 0 || !next) return;
  event.preventDefault();
  next.focus();
});

// What was typed before this module was there.
const early = startForm();
if (early) {
  measureText(early);
  const to = early.querySelector("#start-to");
  if (to instanceof HTMLInputElement && to.value !== to.defaultValue) askAboutNumber(early);
}
