// A first text: what is known of the number while it is typed, and the contacts it may become.
import { showSegments } from "./segments.js";

const PAUSE = 200;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
/** @type {AbortController | null} */
let asking = null;

/** @returns {HTMLFormElement | null} */
const form = () => document.querySelector("#start");

/** @param {HTMLFormElement} of */
const toOf = (of) => /** @type {HTMLInputElement} */ (of.elements.namedItem("to"));

/** @param {HTMLFormElement} of */
async function ask(of) {
  clearTimeout(timer);
  asking?.abort();
  asking = new AbortController();
  const inbox = /** @type {HTMLSelectElement} */ (of.elements.namedItem("inbox"));
  const query = new URLSearchParams({ inbox: inbox.value, to: toOf(of).value });
  try {
    const answer = await fetch(`${of.dataset.about}?${query}`, { signal: asking.signal });
    if (answer.ok && !answer.redirected) show(of, await answer.text());
  } catch {
    // Typed on meanwhile, or no server: sending says all of it again.
  }
}

/**
 * @param {HTMLFormElement} of
 * @param {string} html
 */
function show(of, html) {
  const about = of.querySelector("#start-about");
  if (!about || about.innerHTML === html) return;
  about.innerHTML = html;
  const address = about.querySelector("[data-address]")?.getAttribute("data-address") ?? "";
  /** @type {HTMLInputElement} */ (of.elements.namedItem("checked")).value = address;
}

/** @param {HTMLElement} field */
function forgive(field) {
  field.removeAttribute("aria-invalid");
  const error = field.closest(".field")?.querySelector(":scope > .field-error");
  if (error) error.textContent = "";
}

/** @param {HTMLFormElement} of */
const suggestions = (of) =>
  /** @type {HTMLElement[]} */ ([...of.querySelectorAll(".suggestions button")]);

document.addEventListener("input", (event) => {
  const now = form();
  const field = event.target;
  if (!now || !(field instanceof HTMLElement) || !now.contains(field)) return;
  forgive(field);
  if (field instanceof HTMLTextAreaElement) showSegments(now, field.value);
  else {
    clearTimeout(timer);
    timer = setTimeout(() => ask(now), PAUSE);
  }
});

document.addEventListener("change", (event) => {
  const now = form();
  if (now && event.target instanceof Element && event.target.matches("#start-to, #start-from")) {
    ask(now);
  }
});

// The second of a double click would only break off the first one's answer.
document.addEventListener("submit", (event) => {
  const now = form();
  if (!now || event.target !== now) return;
  if ("isSent" in now.dataset) event.preventDefault();
  now.dataset.isSent = "";
});

window.addEventListener("pageshow", () => {
  delete form()?.dataset.isSent;
});

document.addEventListener("click", (event) => {
  const now = form();
  const chosen = event.target instanceof Element && event.target.closest("#start [data-to]");
  if (!now || !(chosen instanceof HTMLElement)) return;
  toOf(now).value = chosen.dataset.to ?? "";
  forgive(toOf(now));
  ask(now);
  document.getElementById("start-body")?.focus();
});

document.addEventListener("keydown", (event) => {
  const now = form();
  const here = event.target;
  if (!now || !(here instanceof HTMLElement) || !now.contains(here)) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    now.requestSubmit();
    return;
  }
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const all = [toOf(now), ...suggestions(now)];
  const at = all.indexOf(here);
  const next = all[at + (event.key === "ArrowDown" ? 1 : -1)];
  if (at < 0 || !next) return;
  event.preventDefault();
  next.focus();
});
