// The search box: what one types is in the address and answered at once, and what was found stays
// right while messages come.
import { look } from "../page/navigation.js";
import { compareKeys, place, remove } from "../live/fragments.js";

/** Milliseconds between two quiet questions. */
const PAUSE = 400;

/** @returns {HTMLElement | null} */
const results = () => document.getElementById("found");

/** @returns {HTMLFormElement | null} */
const box = () => document.querySelector("form[data-search]");

/** @returns {HTMLInputElement | null} */
const input = () => document.querySelector("form[data-search] input");

/** @param {string | undefined} text @param {Record<string, string>} more */
const query = (text, more = {}) => (text ? `?${new URLSearchParams({ q: text, ...more })}` : "");

/**
 * The same page may be loaded again, and found by going back. Beside a conversation the address
 * is the conversation's.
 * @param {string} path
 * @param {boolean} isEverywhere
 */
function remember(path, isEverywhere) {
  const text = input()?.value.trim();
  const isList = !document.querySelector(".thread");
  const address = isList
    ? path + query(text)
    : location.pathname + query(text, isEverywhere ? { all: "1" } : {});
  history.replaceState(history.state, "", address);
}

/**
 * The switch, while the other scope is asked for with the words that stand in the box.
 * @type {Element | null}
 */
let switching = null;

document.addEventListener("htmx:config:request", (event) => {
  const source = /** @type {CustomEvent} */ (event).detail.ctx.sourceElement;
  if (switching?.isConnected && source === box()) event.preventDefault();
});

document.addEventListener("htmx:finally:request", (event) => {
  if (/** @type {CustomEvent} */ (event).detail.ctx.sourceElement === switching) switching = null;
});

document.addEventListener("htmx:before:request", (event) => {
  const source = /** @type {CustomEvent} */ (event).detail.ctx.sourceElement;
  const form = box();
  if (!form || !(source instanceof Element)) return;
  if (source === form) {
    remember(form.getAttribute("action") ?? "", form.hasAttribute("data-everywhere"));
  } else if (source.matches("[data-scope]")) {
    switching = source;
    remember(source.getAttribute("formaction") ?? "", !form.hasAttribute("data-everywhere"));
  }
});

document.addEventListener("htmx:after:swap", (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  if (ctx.target?.id === "listing") {
    /** @type {HTMLElement | null} */ (document.querySelector("[data-scope]"))?.focus();
  } else if (ctx.target?.id !== "found") return;
  const listing = /** @type {HTMLElement | null} */ (document.querySelector(".listing"));
  const found = results();
  if (!listing || !found) return;
  listing.dataset.seqs = found.dataset.seqs;
  listing.dataset.only = found.dataset.only;
  announce(found);
  look();
});

/** @param {HTMLElement} found */
function announce(found) {
  const place = document.querySelector("[data-found]");
  if (!place) return;
  const count = found.querySelectorAll(".rows > .row").length;
  const more = found.querySelector(".more") ? " or more" : "";
  const isSearch = "searched" in found.dataset;
  place.textContent = isSearch ? (count ? `${count}${more} found` : "Nothing found") : "";
}

let isPlacing = false;
let isAsking = false;
let isWanted = false;
let askedAt = 0;

/** What comes over the socket belongs to whole lists; whether it was looked for knows the server. */
document.addEventListener("partyline:placed", () => {
  if (isPlacing || !("searched" in (results()?.dataset ?? {}))) return;
  isWanted = true;
  if (!isAsking) askSoon();
});

async function askSoon() {
  isAsking = true;
  while (isWanted) {
    await new Promise((done) => setTimeout(done, Math.max(0, askedAt + PAUSE - Date.now())));
    isWanted = false;
    askedAt = Date.now();
    await ask();
  }
  isAsking = false;
}

async function ask() {
  const found = results();
  const text = found?.dataset.searched;
  if (!found || text === undefined) return;
  const headers = { "HX-Request": "true", "HX-Target": "div#found" };
  const path = (box()?.getAttribute("action") ?? "") + query(text);
  const answer = await fetch(path, { headers }).catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  const template = document.createElement("template");
  template.innerHTML = await answer.text();
  const fresh = template.content.querySelector("#found");
  // Another question may have been answered meanwhile.
  if (fresh && found === results() && found.dataset.searched === text) merge(found, fresh);
}

/**
 * @param {Element} found
 * @param {Element} fresh
 */
function merge(found, fresh) {
  const list = found.querySelector(".rows");
  const rows = [.../** @type {NodeListOf<HTMLElement>} */ (fresh.querySelectorAll(".rows > .row"))];
  const more = fresh.querySelector(".more");
  const ids = new Set(rows.map((row) => row.id));
  const last = rows.at(-1)?.dataset.key ?? "";
  /** @param {HTMLElement} row */
  const isBeyond = (row) => Boolean(more) && compareKeys(row.dataset.key ?? "", last) < 0;
  const shown = [.../** @type {NodeListOf<HTMLElement>} */ (found.querySelectorAll(".rows > .row"))];
  isPlacing = true;
  remove(shown.filter((row) => !ids.has(row.id) && !isBeyond(row)).map((row) => row.id));
  place(rows.map((row) => row.outerHTML).join(""));
  isPlacing = false;
  if (!more) list?.querySelector(".more")?.remove();
  else if (!shown.some(isBeyond) && !list?.querySelector(".more")) {
    list?.append(more);
    window.htmx?.process(more);
  }
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "ArrowDown" || event.target !== input()) return;
  const first = /** @type {HTMLElement | null} */ (results()?.querySelector(".row-link"));
  if (!first) return;
  event.preventDefault();
  first.focus();
});
