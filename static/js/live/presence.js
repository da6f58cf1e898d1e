// Shows who else is in the open thread and who types there, and marks the rows of the list.
import { parseElements } from "../shared/dom.js";
import { listen } from "../shared/events.js";
import { openListing, openThread } from "../shared/page-elements.js";

/** @typedef {import("../shared/events.js").Presence} Presence */
/** @typedef {import("../shared/events.js").PresenceMarks} PresenceMarks */

/** @type {Presence} */
const NOBODY = { thread: 0, people: "", typing: "" };
let present = NOBODY;
/** @type {{list: string, threads: PresenceMarks["threads"]}} */
let marks = { list: "", threads: {} };

const MARK_WORDS = { viewing: "Someone is here", replying: "Someone is replying" };

const listKey = () => openListing()?.dataset.list ?? "";

/**
 * Touches only those who changed, so that a screen reader names nobody twice.
 * @param {Element} region
 */
function showPeople(region) {
  const fresh = parseElements(present.people);
  const agents = fresh.map((person) => person.dataset.agent);
  for (const old of [...region.children]) {
    if (old instanceof HTMLElement && !agents.includes(old.dataset.agent)) old.remove();
  }
  fresh.forEach((person, i) => {
    const old = region.querySelector(`[data-agent="${person.dataset.agent}"]`);
    if (old && old.outerHTML === person.outerHTML) return;
    if (old) old.replaceWith(person);
    else region.insertBefore(person, region.children[i] ?? null);
  });
}

/** Shows in the conversation what is known, also in one that was drawn anew. */
function showPresence() {
  const thread = openThread();
  if (thread?.dataset.thread !== String(present.thread)) present = NOBODY;
  const region = thread?.querySelector("[data-here]");
  if (region) showPeople(region);
  const bubble = thread?.querySelector("[data-typing]");
  const words = bubble?.querySelector("[data-words]");
  if (!bubble || !words || words.textContent === present.typing) return;
  words.textContent = present.typing;
  bubble.classList.toggle("is-on", present.typing !== "");
}

/** Marks the rows, which lose their marks whenever they change. */
function showMarks() {
  for (const old of document.querySelectorAll(".row-here")) {
    const row = old.closest(".row");
    if (!row || !(row.id.slice("thread-".length) in marks.threads)) old.remove();
  }
  for (const [thread, state] of Object.entries(marks.threads)) {
    const corner = document.querySelector(`#thread-${thread} .row-marks`);
    if (corner) showMark(corner, state);
  }
}

/**
 * @param {Element} corner of a row
 * @param {"viewing" | "replying"} state
 */
function showMark(corner, state) {
  let mark = corner.querySelector(".row-here");
  if (!mark) {
    mark = document.createElement("span");
    corner.prepend(mark);
  }
  if (mark.classList.contains(state)) return;
  mark.className = `row-here ${state}`;
  const words = document.createElement("span");
  words.className = "hidden";
  words.textContent = MARK_WORDS[state];
  const dots = ["i", "i", "i"].map((name) => document.createElement(name));
  mark.replaceChildren(words, ...dots);
}

/** @param {PresenceMarks["threads"]} threads marks that still hold */
function resetPresence(threads) {
  present = NOBODY;
  marks = { list: listKey(), threads };
  showPresence();
  showMarks();
}

listen("presence", (fresh) => {
  if (openThread()?.dataset.thread !== String(fresh.thread)) return;
  present = fresh;
  showPresence();
});

listen("marks", ({ list, threads }) => {
  if (listKey() !== String(list)) return;
  marks = { list: String(list), threads };
  showMarks();
});

// Marks outlive the opening of another thread of their list; the server answers each new view with
// who is there now.
listen("viewChanged", () => resetPresence(marks.list === listKey() ? marks.threads : {}));
listen("connectionOpened", () => resetPresence({}));
listen("fragmentsChanged", showMarks);

// A refused message may have drawn the composer anew, with the line below it.
document.addEventListener("htmx:after:request", () => queueMicrotask(showPresence));
