// The search box: what is typed is in the address and answered at once, and what was found stays
// right while messages come.
import { compareKeys, insertFragments, removeFragments } from "../live/fragments.js";
import { announceView } from "../page/navigation.js";
import { parseHtml } from "../shared/dom.js";
import { listen } from "../shared/events.js";
import { openListing, openThread } from "../shared/page-elements.js";
import { fetchHtml } from "../shared/requests.js";

/** Milliseconds at least between two questions that nobody typed. */
const PAUSE_MS = 400;

/** @returns {HTMLElement | null} */
const resultsElement = () => document.getElementById("found");

/** @returns {HTMLFormElement | null} */
const searchForm = () => document.querySelector("form[data-search]");

/** @returns {HTMLInputElement | null} */
const searchField = () => document.querySelector("form[data-search] [type=search]");

/**
 * Within *Blocked* the address says so too.
 * @param {string | undefined} text
 * @param {Record<string, string>} [more]
 */
function queryString(text, more = {}) {
  const only = /** @type {Record<string, string>} */ (
    searchForm()?.querySelector("[name=only]") ? { only: "blocked" } : {}
  );
  return text ? `?${new URLSearchParams({ q: text, ...only, ...more })}` : "";
}

/**
 * Puts the search into the address, so that it is found again after a reload and by going back.
 * Beside a conversation the address stays the conversation's.
 * @param {string} path
 * @param {boolean} isEverywhere
 */
function rememberSearch(path, isEverywhere) {
  const text = searchField()?.value.trim();
  const address = openThread()
    ? location.pathname + queryString(text, isEverywhere ? { all: "1" } : {})
    : path + queryString(text);
  history.replaceState(history.state, "", address);
}

/**
 * The switch of the scope, while the other one is being asked for with what is in the box.
 * @type {Element | null}
 */
let switching = null;

document.addEventListener("htmx:config:request", (event) => {
  const { sourceElement } = event.detail.ctx;
  if (switching?.isConnected && sourceElement === searchForm()) event.preventDefault();
});

document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  if (ctx.sourceElement === switching) switching = null;
});

document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  const { sourceElement } = ctx;
  const form = searchForm();
  if (!form) return;
  const isEverywhere = form.hasAttribute("data-everywhere");
  if (sourceElement === form) {
    rememberSearch(form.getAttribute("action") ?? "", isEverywhere);
  } else if (sourceElement.matches("[data-scope]")) {
    switching = sourceElement;
    rememberSearch(sourceElement.getAttribute("formaction") ?? "", !isEverywhere);
  }
});

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  if (ctx.target?.id === "listing") {
    /** @type {HTMLElement | null} */ (document.querySelector("[data-scope]"))?.focus();
  } else if (ctx.target?.id !== "found") return;
  const listing = openListing();
  const results = resultsElement();
  if (!listing || !results) return;
  listing.dataset.seqs = results.dataset.seqs;
  listing.dataset.only = results.dataset.only;
  announceCount(results);
  announceView();
});

// A search that found no server is made again when there is one: else its word would stand beside
// a list that it never searched.
listen("connectionOpened", () => {
  const shown = resultsElement()?.dataset.searched ?? "";
  if (searchField() && searchField()?.value.trim() !== shown) searchForm()?.requestSubmit();
});

/** @param {HTMLElement} results */
function announceCount(results) {
  const status = document.querySelector("[data-found]");
  if (!status) return;
  const count = results.querySelectorAll(".rows > .row").length;
  const more = results.querySelector(".more") ? " or more" : "";
  const isSearch = "searched" in results.dataset;
  status.textContent = isSearch ? (count ? `${count}${more} found` : "Nothing found") : "";
}

let isUpdating = false;
let isAsking = false;
let isWanted = false;
let askedAt = 0;

// What comes over the socket is about whole lists; only the server knows whether it matches.
listen("fragmentsChanged", () => {
  if (isUpdating || !("searched" in (resultsElement()?.dataset ?? {}))) return;
  isWanted = true;
  if (!isAsking) askAgain();
});

/** Asks until nothing has changed since. */
async function askAgain() {
  isAsking = true;
  while (isWanted) {
    await new Promise((done) => setTimeout(done, Math.max(0, askedAt + PAUSE_MS - Date.now())));
    isWanted = false;
    askedAt = Date.now();
    await refreshResults();
  }
  isAsking = false;
}

async function refreshResults() {
  const results = resultsElement();
  const text = results?.dataset.searched;
  if (!results || text === undefined) return;
  const headers = { "HX-Request": "true", "HX-Target": "div#found" };
  const path = (searchForm()?.getAttribute("action") ?? "") + queryString(text);
  const html = await fetchHtml(path, { headers });
  const fresh = html === null ? null : parseHtml(html).querySelector("#found");
  // Another search may have been answered meanwhile.
  if (!fresh || results !== resultsElement() || results.dataset.searched !== text) return;
  updateResults(results, fresh);
}

/** @param {Element} results */
const resultRows = (results) => [
  .../** @type {NodeListOf<HTMLElement>} */ (results.querySelectorAll(".rows > .row")),
];

/**
 * Brings the rows up to date; what is loaded beyond the first page stays.
 * @param {Element} results
 * @param {Element} fresh the first page
 */
function updateResults(results, fresh) {
  const list = results.querySelector(".rows");
  const rows = resultRows(fresh);
  const more = fresh.querySelector(".more");
  const ids = new Set(rows.map((row) => row.id));
  const last = rows.at(-1)?.dataset.key ?? "";
  /** @param {HTMLElement} row */
  const isBeyond = (row) => Boolean(more) && compareKeys(row.dataset.key ?? "", last) < 0;
  const shown = resultRows(results);
  isUpdating = true;
  removeFragments(shown.filter((row) => !ids.has(row.id) && !isBeyond(row)).map((row) => row.id));
  insertFragments(rows.map((row) => row.outerHTML).join(""));
  isUpdating = false;
  if (!more) list?.querySelector(".more")?.remove();
  else if (!shown.some(isBeyond) && !list?.querySelector(".more")) {
    list?.append(more);
    window.htmx?.process(more);
  }
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "ArrowDown" || event.target !== searchField()) return;
  /** @type {HTMLElement | null | undefined} */
  const first = resultsElement()?.querySelector(".row-link");
  if (!first) return;
  event.preventDefault();
  first.focus();
});
