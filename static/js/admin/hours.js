// The hours of an inbox: times are added, removed and copied, and the page says how they read.
import { countSegments, describeSegments } from "../composer/segments.js";
import { closestTarget, focus, parseHtml } from "../shared/dom.js";
import { fetchHtml } from "../shared/requests.js";

const PAUSE_MS = 300;
/** What is asked for when the hours are read out. */
const READ = ["time_zone", "holiday_country", "holiday_part"];

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
/** @type {AbortController | null} */
let asking = null;

const week = () => /** @type {HTMLElement | null} */ (document.querySelector("[data-week]"));

/** @param {ParentNode} root */
const daysIn = (root) => /** @type {HTMLElement[]} */ ([...root.querySelectorAll("[data-day]")]);

/** @param {ParentNode} root */
const spansIn = (root) => /** @type {HTMLElement[]} */ ([...root.querySelectorAll("[data-span]")]);

/** @param {ParentNode} root */
const timesIn = (root) => [...root.querySelectorAll("input")];

/** @param {HTMLElement} span */
const isEmpty = (span) => timesIn(span).every((time) => time.value === "" && !time.validity.badInput);

/** @param {HTMLElement} day */
function drawDay(day) {
  const shown = spansIn(day).filter((span) => !span.hidden);
  const isClosed = shown.length === 0;
  day.querySelector("[data-closed]")?.toggleAttribute("hidden", !isClosed);
  day.querySelector("[data-copy-day]")?.toggleAttribute("hidden", shown.every(isEmpty));
  const isFull = shown.length >= Number(week()?.dataset.most);
  day.querySelector("[data-add-span]")?.toggleAttribute("hidden", isFull);
}

/**
 * Shows another pair of times: one of those that are there and hidden, or a copy with its own name.
 * @param {HTMLElement} day
 */
function addSpan(day) {
  const all = spansIn(day);
  const hidden = all.find((span) => span.hidden);
  if (hidden) {
    all.findLast((span) => !span.hidden)?.after(hidden);
    hidden.hidden = false;
    return hidden;
  }
  const last = all.at(-1);
  if (!last) return null;
  const added = /** @type {HTMLElement} */ (last.cloneNode(true));
  const numbers = all.flatMap(timesIn).map((time) => Number(time.name.split("-")[2]));
  for (const time of timesIn(added)) {
    const [name, number, , end] = time.name.split("-");
    time.name = `${name}-${number}-${Math.max(...numbers) + 1}-${end}`;
    time.value = "";
  }
  last.after(added);
  return added;
}

/** @param {HTMLElement} span */
function emptySpan(span) {
  for (const time of timesIn(span)) time.value = "";
  span.hidden = true;
}

/**
 * @param {HTMLElement} from
 * @param {HTMLElement} to
 */
function copyDay(from, to) {
  for (const span of spansIn(to)) emptySpan(span);
  for (const span of spansIn(from).filter((one) => !one.hidden && !isEmpty(one))) {
    const copy = addSpan(to);
    const times = copy ? timesIn(copy) : [];
    timesIn(span).forEach(({ value }, index) => {
      const time = times[index];
      if (time) time.value = value;
    });
  }
  drawDay(to);
}

/** @param {string} name */
const fieldNamed = (name) => {
  const field = document.querySelector(`[name="${name}"]`);
  return field instanceof HTMLSelectElement ? field : null;
};

async function readHours() {
  clearTimeout(timer);
  asking?.abort();
  asking = new AbortController();
  const shown = document.querySelector("[data-hours-read]");
  const hours = week();
  if (!(shown instanceof HTMLElement) || !hours) return;
  const fields = new URLSearchParams();
  for (const time of timesIn(hours)) fields.set(time.name, time.value);
  for (const name of READ) fields.set(name, fieldNamed(name)?.value ?? "");
  const html = await fetchHtml(`${shown.dataset.url}?${fields}`, { signal: asking.signal });
  if (html === null) return;
  const read = parseHtml(html);
  const reading = read.querySelector("[data-reading]");
  if (reading) shown.replaceChildren(...reading.childNodes);
  const parts = read.querySelector("[data-parts]");
  if (parts instanceof HTMLSelectElement) drawParts(parts);
}

/**
 * Offers the regions of the country that was chosen, if it has several.
 * @param {HTMLSelectElement} parts
 */
function drawParts(parts) {
  const field = fieldNamed("holiday_part");
  if (!field) return;
  const chosen = parts.value;
  field.replaceChildren(...parts.options);
  field.value = chosen;
  showParts(field);
}

/** @param {HTMLSelectElement} field */
function showParts(field) {
  field.closest(".form-row")?.toggleAttribute("hidden", field.options.length < 2);
}

/** @param {HTMLElement} size the line below a text */
function showSize(size) {
  const box = document.querySelector(`[name="${size.dataset.sizeOf}"]`);
  if (!(box instanceof HTMLTextAreaElement)) return;
  const sample = JSON.parse(size.dataset.sample ?? "{}");
  const filled = box.value.replace(/\{([^{}\n]+)\}/g, (word, name) => sample[name.toLowerCase()] ?? word);
  const segments = countSegments(filled);
  size.textContent = segments.count ? describeSegments(segments).size : "";
}

function openWeek() {
  const hours = week();
  if (!hours) return;
  for (const day of daysIn(hours)) {
    for (const span of spansIn(day)) span.hidden = isEmpty(span);
    day.querySelector("[data-week-deeds]")?.removeAttribute("hidden");
    for (const button of day.querySelectorAll("[data-remove-span]")) {
      button.removeAttribute("hidden");
    }
    drawDay(day);
  }
  const parts = fieldNamed("holiday_part");
  if (parts) showParts(parts);
}

document.addEventListener("click", (event) => {
  const day = closestTarget(event, "[data-day]");
  const hours = week();
  if (!day || !hours) return;
  const copy = closestTarget(event, "[data-copy-day]");
  const span = closestTarget(event, "[data-remove-span]")?.closest("[data-span]");
  if (closestTarget(event, "[data-add-span]")) {
    const added = addSpan(day);
    if (added) timesIn(added)[0]?.focus();
  } else if (span instanceof HTMLElement) {
    emptySpan(span);
    drawDay(day);
    focus(day.querySelector("[data-add-span]"));
  } else if (copy) {
    const wanted = (copy.dataset.copyDay ?? "").split(" ");
    daysIn(hours).forEach((other, index) => {
      if (wanted.includes(String(index))) copyDay(day, other);
    });
  } else return;
  drawDay(day);
  readHours();
});

document.addEventListener("input", (event) => {
  const { target } = event;
  if (!(target instanceof HTMLElement)) return;
  const day = target.closest("[data-day]");
  if (day instanceof HTMLElement) {
    drawDay(day);
    clearTimeout(timer);
    timer = setTimeout(readHours, PAUSE_MS);
  } else if (READ.includes(target.getAttribute("name") ?? "")) readHours();
  const size = document.querySelector(`[data-size-of="${target.getAttribute("name")}"]`);
  if (size instanceof HTMLElement) showSize(size);
});

openWeek();
