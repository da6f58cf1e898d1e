// Files for a message: chosen, pasted or dropped; sent ahead one by one, and kept by the server with
// the draft until the message goes or they are taken out again.
import { renewToken, token } from "../shared/csrf.js";
import { tell } from "../shared/toasts.js";

const LOST = "This file did not reach the server.";
const WAITS = "It goes as soon as its files are here.";
const NOT_LATER = "Files cannot be sent later. Take them out, or send it now.";

/** @typedef {{file: File, row: HTMLElement, form: HTMLFormElement}} Upload */

/** @type {Upload[]} */
const queue = [];
/** @type {Upload | null} */
let current = null;
/**
 * The thread in which Send was pressed while its files were still on their way. Whoever writes on,
 * changes the mode or leaves has to press again: it must not go other than it was meant.
 * @type {string | null}
 */
let waiting = null;
/** How often the list has changed here: what the server said before that is out of date. */
let changes = 0;
/** Whether the list has to be asked for once nothing is on its way any more. */
let isOutOfDate = false;

/** @returns {HTMLFormElement | null} */
const form = () => document.querySelector("#composer");

/**
 * @param {ParentNode} of
 * @returns {HTMLElement | null}
 */
const listOf = (of) => of.querySelector("[data-draft-files]");

/**
 * @param {string} tag
 * @param {string} name
 * @param {string} [words]
 */
function make(tag, name, words = "") {
  const element = document.createElement(tag);
  element.className = name;
  element.textContent = words;
  return element;
}

/**
 * @param {HTMLFormElement} of
 * @param {Iterable<File>} files
 */
function add(of, files) {
  const most = Number(of.dataset.largest);
  for (const file of files) {
    const row = make("li", "draft-file is-uploading");
    const bar = /** @type {HTMLProgressElement} */ (make("progress", "draft-progress"));
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute("aria-label", `Uploading ${file.name}`);
    const name = make("span", "draft-name", file.name);
    name.dir = "auto";
    row.append(name, bar, dropButton(row, file.name));
    listOf(of)?.append(row);
    const upload = { file, row, form: of };
    if (file.size > most) fail(upload, `Larger than ${Math.floor(most / 2 ** 20)} MB.`, false);
    else queue.push(upload);
  }
  next();
}

/**
 * @param {HTMLElement} row
 * @param {string} name
 */
function dropButton(row, name) {
  const button = /** @type {HTMLButtonElement} */ (make("button", "draft-remove", "×"));
  button.type = "button";
  button.setAttribute("aria-label", `Remove ${name}`);
  button.addEventListener("click", () => {
    row.remove();
    row.dispatchEvent(new Event("dropped"));
    const at = queue.findIndex((one) => one.row === row);
    if (at >= 0) queue.splice(at, 1);
    next();
  });
  return button;
}

/** @param {string | null | undefined} thread */
const isUploading = (thread) =>
  [current, ...queue].some((one) => one && one.form.dataset.thread === thread);

function next() {
  if (!current) {
    current = queue.shift() ?? null;
    if (current) send(current);
    else if (isOutOfDate) refresh();
  }
  if (waiting === null || isUploading(waiting)) return;
  const now = form();
  const isMeant = now?.dataset.thread === waiting;
  waiting = null;
  if (now && isMeant && !now.querySelector(".draft-file.is-bad")) clickSend(now);
}

function stopWaiting() {
  waiting = null;
}

/** @param {HTMLFormElement} of */
function clickSend(of) {
  const button = of.querySelector(".send");
  if (button instanceof HTMLButtonElement) button.click();
}

/**
 * @param {Upload} upload
 * @param {boolean} [isAgain] with a fresh token
 */
function send(upload, isAgain = false) {
  const { file, row, form: of } = upload;
  const request = new XMLHttpRequest();
  const bar = row.querySelector("progress");
  const body = new FormData();
  body.append("file", file, file.name);
  request.open("POST", of.dataset.upload ?? "");
  request.setRequestHeader("X-CSRFToken", token());
  request.upload.addEventListener("progress", (event) => {
    if (bar && event.lengthComputable) bar.value = event.loaded / event.total;
  });
  row.addEventListener("dropped", () => request.abort(), { once: true });
  request.addEventListener("loadend", async () => {
    if (request.status === 403 && !isAgain && (await renewToken())) {
      send(upload, true);
      return;
    }
    current = null;
    changes += 1;
    // The conversation was drawn anew meanwhile, without this file.
    if (!row.isConnected) isOutOfDate = true;
    if (request.status === 201) row.outerHTML = request.responseText;
    else if (row.isConnected) {
      const isRefused = request.status === 422;
      fail(upload, isRefused ? request.responseText : LOST, !isRefused);
    }
    next();
  });
  request.send(body);
}

/**
 * @param {Upload} upload
 * @param {string} sentence
 * @param {boolean} isWorthRepeating
 */
function fail(upload, sentence, isWorthRepeating) {
  const { row, file } = upload;
  const said = make("span", "draft-wrong", sentence);
  said.setAttribute("role", "alert");
  row.classList.replace("is-uploading", "is-bad");
  row.querySelector("progress")?.replaceWith(said);
  stopWaiting();
  if (!isWorthRepeating) return;
  const again = /** @type {HTMLButtonElement} */ (make("button", "draft-again", "Try again"));
  again.type = "button";
  again.addEventListener("click", () => {
    row.remove();
    const now = form();
    if (now) add(now, [file]);
  });
  said.after(again);
}

/** Asks the server what it has: another tab, or a refusal, may have changed it. */
async function refresh() {
  const now = form();
  isOutOfDate = current !== null || queue.length > 0;
  if (!now || isOutOfDate) return;
  const before = changes;
  const answer = await fetch(now.dataset.upload ?? "").catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  const html = await answer.text();
  if (form() !== now || current) return;
  if (changes !== before) {
    refresh();
    return;
  }
  const fresh = new DOMParser().parseFromString(html, "text/html");
  const list = listOf(fresh);
  const bad = [...now.querySelectorAll(".draft-file.is-bad")];
  if (list) listOf(now)?.replaceChildren(...list.children, ...bad);
}

/** @param {string} key the file's, as the server calls it */
const rowOf = (key) => form()?.querySelector(`.draft-file[data-file="${CSS.escape(key)}"]`);

/** @param {HTMLButtonElement} button */
async function remove(button) {
  const key = button.closest(".draft-file")?.getAttribute("data-file") ?? "";
  const answer = await fetch(button.formAction, {
    method: "POST",
    headers: { "X-CSRFToken": token() },
  }).catch(() => null);
  if (!answer?.ok && answer?.status !== 404) return;
  changes += 1;
  // The list may be another by now, with the same file in it.
  const row = rowOf(key);
  const heir = row?.nextElementSibling ?? row?.previousElementSibling;
  row?.remove();
  const focus = heir?.querySelector(".draft-remove") ?? form()?.querySelector("textarea");
  if (focus instanceof HTMLElement) focus.focus();
}

/** @param {HTMLFormElement} of */
function choose(of) {
  const input = document.createElement("input");
  input.type = "file";
  input.multiple = true;
  input.addEventListener("change", () => add(of, input.files ?? []));
  input.click();
}

document.addEventListener("click", (event) => {
  const now = form();
  if (!(event.target instanceof Element) || !now) return;
  if (event.target.closest("[data-attach]")) choose(now);
  const button = event.target.closest("[data-remove]");
  if (!(button instanceof HTMLButtonElement)) return;
  event.preventDefault();
  remove(button);
});

document.addEventListener("paste", (event) => {
  const now = form();
  const data = event.clipboardData;
  if (!now || !data?.files.length || !(event.target instanceof Element)) return;
  // Office programs put a picture of the words beside the words: those are meant.
  if (!now.contains(event.target) || data.types.includes("text/plain")) return;
  event.preventDefault();
  add(now, data.files);
});

/** @param {DragEvent} event */
const bringsFiles = (event) => Boolean(event.dataTransfer?.types.includes("Files"));

/** @param {EventTarget | null} at */
const paneAt = (at) => (at instanceof Element ? at.closest(".thread") : null);

/** @param {Element | null} pane */
function showDropping(pane) {
  for (const other of document.querySelectorAll(".thread.is-dropping")) {
    if (other !== pane) other.classList.remove("is-dropping");
  }
  pane?.classList.add("is-dropping");
}

document.addEventListener("dragover", (event) => {
  if (!form() || !bringsFiles(event)) return;
  // Beside the conversation nothing happens: the browser would leave the page for the file.
  event.preventDefault();
  const pane = paneAt(event.target);
  if (event.dataTransfer) event.dataTransfer.dropEffect = pane ? "copy" : "none";
  showDropping(pane);
});

document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) showDropping(null);
});

document.addEventListener("drop", (event) => {
  const now = form();
  if (!now || !bringsFiles(event)) return;
  event.preventDefault();
  showDropping(null);
  if (paneAt(event.target)) add(now, event.dataTransfer?.files ?? []);
});

document.addEventListener("htmx:before:request", (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  const of = ctx.sourceElement;
  if (!of.matches?.("#composer") || !isUploading(of.dataset.thread)) return;
  event.preventDefault();
  const isLater = ctx.request.submitter?.name === "later";
  if (!isLater) waiting = of.dataset.thread;
  tell(isLater ? NOT_LATER : WAITS);
});

document.addEventListener("partyline:mode", stopWaiting);
document.addEventListener("partyline:looked", stopWaiting);
document.addEventListener("input", (event) => {
  if (event.target instanceof Element && event.target.closest("#composer")) stopWaiting();
});

document.addEventListener("partyline:sent", (event) => {
  const { attachments } = /** @type {CustomEvent} */ (event).detail;
  changes += 1;
  for (const key of attachments) rowOf(key)?.remove();
});

// Another tab of the same agent put one there or took one out.
document.addEventListener("partyline:files", (event) => {
  const rows = form()?.querySelectorAll(".draft-file[data-file]") ?? [];
  const shown = [...rows].map((row) => row.getAttribute("data-file"));
  if (shown.join() !== /** @type {CustomEvent} */ (event).detail.join()) refresh();
});

document.documentElement.dataset.attaching = "true";
document.addEventListener("partyline:refused", refresh);
document.addEventListener("partyline:drafted", () => {
  if (form()?.querySelector(".draft-file[data-file]")) refresh();
});
