// Files for a message: chosen, pasted or dropped. They are uploaded one by one, and the server
// keeps them with the draft until the message is sent or they are removed again.
import { csrfToken, renewCsrfToken } from "../shared/csrf.js";
import { closestTarget, parseHtml } from "../shared/dom.js";
import { announce, listen } from "../shared/events.js";
import { attachingForm, pressSend } from "../shared/page-elements.js";
import { fetchHtml, post } from "../shared/requests.js";
import { showToast, withdrawToast } from "../shared/toasts.js";
import { isInternal } from "./internal-mode.js";

const LOST = "This file didn't upload.";
const WAITS = "Sends as soon as its files are uploaded.";
/** The form of a first text has no thread yet: its files are its own, and no other tab's. */
const FIRST_TEXT = "#start";
const DELETED = "This saved reply has just been deleted. Its words are in your text, its files aren't.";
const NOT_COPIED = "The files of the saved reply weren't added. Try again, or attach them.";
const CHANGED = "Not sent: the conversation changed. Check your message, then send again.";
const WAITS_LATER = "Schedules as soon as its files are uploaded.";

/** @typedef {{file: File, row: HTMLElement, form: HTMLFormElement}} Upload */

/** @type {Upload[]} */
const queue = [];
/** @type {Upload | null} */
let current = null;
/** The forms into which the server copies files. @type {HTMLFormElement[]} */
const copying = [];
/**
 * The form in which Send was pressed while its files were still on their way, its mode then, and
 * the button of *Send later* if it was one of those.
 * Whoever writes on, changes the mode or leaves has to press it again, and so does everybody whose
 * form was drawn anew: nothing is sent other than it was meant.
 * @type {{form: HTMLFormElement, wasInternal: boolean, submitter: HTMLButtonElement | null} | null}
 */
let waiting = null;
/** How often the list has changed here: an answer to an earlier question is out of date. */
let changes = 0;
/** Whether the list has to be asked for once nothing is on its way any more. */
let isOutOfDate = false;

/**
 * @param {ParentNode} root
 * @returns {HTMLElement | null}
 */
const fileList = (root) => root.querySelector("[data-draft-files]");

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} className
 * @param {string} [text]
 */
function createElement(tag, className, text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

/**
 * @param {string} className
 * @param {string} text
 * @param {() => void} press
 */
function createButton(className, text, press) {
  const button = createElement("button", className, text);
  button.type = "button";
  button.addEventListener("click", press);
  return button;
}

/**
 * @param {HTMLFormElement} form
 * @param {Iterable<File>} files
 */
function addFiles(form, files) {
  const most = Number(form.dataset.largest);
  for (const file of files) {
    const row = createElement("li", "draft-file is-uploading");
    const bar = createElement("progress", "draft-progress");
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute("aria-label", `Uploading ${file.name}`);
    const name = createElement("span", "draft-name", file.name);
    name.dir = "auto";
    const button = createButton("draft-remove", "×", () => cancelUpload(row));
    button.setAttribute("aria-label", `Remove ${file.name}`);
    row.append(name, bar, button);
    fileList(form)?.append(row);
    const upload = { file, row, form };
    if (file.size > most) {
      showFailure(upload, `Larger than ${Math.floor(most / 2 ** 20)} MB.`, false);
    } else queue.push(upload);
  }
  continueUploads();
}

/** @param {HTMLElement} row */
function cancelUpload(row) {
  row.remove();
  row.dispatchEvent(new Event("cancelled"));
  const index = queue.findIndex((upload) => upload.row === row);
  if (index >= 0) queue.splice(index, 1);
  continueUploads();
}

/** @param {HTMLFormElement} form this one, or an older one of its thread */
const isUploading = (form) =>
  [current?.form, ...queue.map((upload) => upload.form), ...copying].some(
    (other) => other?.dataset.upload === form.dataset.upload,
  );

/** Starts the next upload, and sends the message that waited for the last one. */
function continueUploads() {
  if (!current) {
    current = queue.shift() ?? null;
    if (current) startUpload(current);
    else if (isOutOfDate) refreshFiles();
  }
  if (waiting === null || isUploading(waiting.form)) return;
  const { form, wasInternal, submitter } = waiting;
  waiting = null;
  if (attachingForm() !== form || isInternal(form) !== wasInternal) showToast(CHANGED);
  else if (form.querySelector(".draft-file.is-bad")) return;
  else if (submitter || form.matches(FIRST_TEXT)) form.requestSubmit(submitter);
  else pressSend(form);
}

function stopWaiting() {
  waiting = null;
  withdrawToast(WAITS);
  withdrawToast(WAITS_LATER);
}

/**
 * @param {Upload} upload
 * @param {boolean} [isRepeated] with a fresh token
 */
function startUpload(upload, isRepeated = false) {
  const { file, row, form } = upload;
  const request = new XMLHttpRequest();
  const bar = row.querySelector("progress");
  const body = new FormData();
  body.append("file", file, file.name);
  request.open("POST", form.dataset.upload ?? "");
  request.setRequestHeader("X-CSRFToken", csrfToken());
  request.upload.addEventListener("progress", (event) => {
    if (bar && event.lengthComputable) bar.value = event.loaded / event.total;
  });
  row.addEventListener("cancelled", () => request.abort(), { once: true });
  request.addEventListener("loadend", async () => {
    if (request.status === 403 && !isRepeated && (await renewCsrfToken())) {
      startUpload(upload, true);
      return;
    }
    finishUpload(upload, request);
  });
  request.send(body);
}

/**
 * @param {Upload} upload
 * @param {XMLHttpRequest} request
 */
function finishUpload(upload, request) {
  const { row } = upload;
  current = null;
  changes += 1;
  // The conversation was drawn anew meanwhile, without this file.
  if (!row.isConnected) isOutOfDate = true;
  if (request.status === 201) {
    row.outerHTML = request.responseText;
    announce("attachmentsChanged");
  } else if (row.isConnected) {
    const isRefused = request.status === 422;
    showFailure(upload, isRefused ? request.responseText : LOST, !isRefused);
  }
  continueUploads();
}

/**
 * @param {Upload} upload
 * @param {string} sentence
 * @param {boolean} canBeRepeated
 */
function showFailure({ row, file }, sentence, canBeRepeated) {
  const error = createElement("span", "draft-wrong", sentence);
  error.setAttribute("role", "alert");
  row.classList.replace("is-uploading", "is-bad");
  row.querySelector("progress")?.replaceWith(error);
  stopWaiting();
  if (!canBeRepeated) return;
  const again = createButton("draft-again", "Try again", () => {
    row.remove();
    const form = attachingForm();
    if (form) addFiles(form, [file]);
  });
  error.after(again);
}

/** Asks the server which files it has: another tab, or a refusal, may have changed them. */
async function refreshFiles() {
  const form = attachingForm();
  isOutOfDate = current !== null || queue.length > 0;
  if (!form || form.matches(FIRST_TEXT) || isOutOfDate) return;
  const changesBefore = changes;
  const html = await fetchHtml(form.dataset.upload ?? "");
  if (html === null || attachingForm() !== form || current) return;
  if (changes !== changesBefore) {
    refreshFiles();
    return;
  }
  const fresh = fileList(parseHtml(html));
  const failed = [...form.querySelectorAll(".draft-file.is-bad")];
  if (fresh) fileList(form)?.replaceChildren(...fresh.children, ...failed);
}

/**
 * Shows files that the server puts into the form's composer. What is sent waits for them.
 * @param {HTMLFormElement} form
 * @param {Promise<Response>} answering with their rows
 */
export async function addCopiedFiles(form, answering) {
  copying.push(form);
  const answer = await answering.catch(() => null);
  const html = answer && !answer.redirected ? await answer.text() : "";
  copying.splice(copying.indexOf(form), 1);
  changes += 1;
  if (answer?.ok && html) {
    const rows = [...parseHtml(html).children].filter(
      (row) => !fileRow(row.getAttribute("data-file") ?? ""),
    );
    fileList(form)?.append(...rows);
    announce("attachmentsChanged");
  } else if (!answer?.ok) {
    stopWaiting();
    const deleted = answer?.status === 404 ? DELETED : NOT_COPIED;
    showToast(answer?.status === 422 ? html : deleted);
  }
  if (!form.isConnected) refreshFiles();
  continueUploads();
}

/** @param {string} key by which the server knows the file */
const fileRow = (key) =>
  attachingForm()?.querySelector(`.draft-file[data-file="${CSS.escape(key)}"]`);

/** @param {HTMLButtonElement} button */
async function removeFile(button) {
  const key = button.closest(".draft-file")?.getAttribute("data-file") ?? "";
  const answer = await post(button.dataset.remove ?? "").catch(() => null);
  if (!answer?.ok && answer?.status !== 404) return;
  changes += 1;
  // The list may be another one by now, with the same file in it.
  const row = fileRow(key);
  const neighbour = row?.nextElementSibling ?? row?.previousElementSibling;
  row?.remove();
  announce("attachmentsChanged");
  const heir =
    neighbour?.querySelector(".draft-remove") ?? attachingForm()?.querySelector("textarea");
  if (heir instanceof HTMLElement) heir.focus();
}

/** @param {HTMLFormElement} form */
function chooseFiles(form) {
  const input = document.createElement("input");
  input.type = "file";
  input.multiple = true;
  input.addEventListener("change", () => addFiles(form, input.files ?? []));
  input.click();
}

document.addEventListener("click", (event) => {
  const form = attachingForm();
  if (!form) return;
  if (closestTarget(event, "[data-attach]")) chooseFiles(form);
  const button = closestTarget(event, "[data-remove]");
  if (!(button instanceof HTMLButtonElement)) return;
  event.preventDefault();
  removeFile(button);
});

/**
 * Returns whether words are meant: office programs put a picture of the words beside them, and
 * their markup. A copied file comes with its name as plain text, which nobody has written.
 * @param {DataTransfer} data
 */
function holdsWrittenWords(data) {
  const isMarkedUp = data.types.includes("text/html") || data.types.includes("text/rtf");
  return isMarkedUp && data.getData("text/plain").trim() !== "";
}

document.addEventListener("paste", (event) => {
  const form = attachingForm();
  const data = event.clipboardData;
  if (!form || !data?.files.length || !(event.target instanceof Element)) return;
  if (!form.contains(event.target) || holdsWrittenWords(data)) return;
  event.preventDefault();
  addFiles(form, data.files);
});

/** @param {DragEvent} event */
const bringsFiles = (event) => Boolean(event.dataTransfer?.types.includes("Files"));

const DROP_TARGETS = ".thread, .pane.start";

/** @param {Element | null} pane the conversation over which files are held, if any */
function showDropTarget(pane) {
  for (const other of document.querySelectorAll(".is-dropping")) {
    if (other !== pane) other.classList.remove("is-dropping");
  }
  pane?.classList.add("is-dropping");
}

document.addEventListener("dragover", (event) => {
  if (!attachingForm() || !bringsFiles(event)) return;
  // Everywhere, not only over the conversation: the browser would leave the page for the file.
  event.preventDefault();
  const pane = closestTarget(event, DROP_TARGETS);
  if (event.dataTransfer) event.dataTransfer.dropEffect = pane ? "copy" : "none";
  showDropTarget(pane);
});

document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) showDropTarget(null);
});

document.addEventListener("drop", (event) => {
  const form = attachingForm();
  if (!form || !bringsFiles(event)) return;
  event.preventDefault();
  showDropTarget(null);
  if (closestTarget(event, DROP_TARGETS)) addFiles(form, event.dataTransfer?.files ?? []);
});

document.addEventListener("htmx:before:request", (event) => {
  const { sourceElement, request } = event.detail.ctx;
  if (!(sourceElement instanceof HTMLFormElement) || !sourceElement.matches("#composer")) return;
  if (!isUploading(sourceElement)) return;
  event.preventDefault();
  const submitter =
    request.submitter instanceof HTMLButtonElement && request.submitter.name === "later"
      ? request.submitter
      : null;
  waiting = { form: sourceElement, wasInternal: isInternal(sourceElement), submitter };
  showToast(submitter ? WAITS_LATER : WAITS);
});

// Before the listener that lets this form be sent only once.
document.addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || !form.matches(FIRST_TEXT)) return;
    if (!isUploading(form)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    waiting = { form, wasInternal: isInternal(form), submitter: null };
    showToast(WAITS);
  },
  true,
);

listen("modeChanged", stopWaiting);
listen("viewChanged", stopWaiting);
document.addEventListener("input", (event) => {
  if (closestTarget(event, "#composer, #start")) stopWaiting();
});

listen("messageSent", ({ attachments }) => {
  changes += 1;
  stopWaiting();
  for (const key of attachments) fileRow(key)?.remove();
});

// Another tab of the same agent added a file or removed one.
listen("draftFilesChanged", (files) => {
  const form = attachingForm();
  if (form?.matches(FIRST_TEXT)) return;
  const rows = form?.querySelectorAll(".draft-file[data-file]") ?? [];
  const shown = [...rows].map((row) => row.getAttribute("data-file"));
  if (shown.join() !== files.join()) refreshFiles();
});

document.documentElement.dataset.attaching = "true";
listen("messageRefused", refreshFiles);
listen("draftReplaced", () => {
  if (attachingForm()?.querySelector(".draft-file[data-file]")) refreshFiles();
});
