// Shows who else is in the open thread and who types there, and marks the list's rows.

/** @type {{thread: number, people: string, typing: string}} */
const NOBODY = { thread: 0, people: "", typing: "" };
let present = NOBODY;
/**
 * By thread, what somebody else does in it.
 * @type {{list: string, threads: Record<string, "viewing" | "replying">}}
 */
let marks = { list: "", threads: {} };

const MARK_WORDS = { viewing: "Someone is here", replying: "Someone is replying" };

/** @returns {HTMLElement | null} */
const thread = () => document.querySelector(".thread");

const openList = () => {
  const listing = document.querySelector(".listing");
  return listing instanceof HTMLElement ? (listing.dataset.list ?? "") : "";
};

/** @param {string} html */
function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return [...template.content.children].filter((child) => child instanceof HTMLElement);
}

/**
 * Touches only those who changed, so that a screen reader names nobody twice.
 * @param {Element} region
 */
function showPeople(region) {
  const fresh = parse(present.people);
  const agents = fresh.map((person) => person.dataset.agent);
  for (const old of [...region.children]) {
    if (!agents.includes(/** @type {HTMLElement} */ (old).dataset.agent)) old.remove();
  }
  fresh.forEach((person, i) => {
    const there = region.querySelector(`[data-agent="${person.dataset.agent}"]`);
    if (there && there.outerHTML === person.outerHTML) return;
    if (there) there.replaceWith(person);
    else region.insertBefore(person, region.children[i] ?? null);
  });
}

/** Puts into the page what is known; also into one that was drawn anew. */
function show() {
  const open = thread();
  const isHere = open?.dataset.thread === String(present.thread);
  if (!isHere) present = NOBODY;
  const region = open?.querySelector("[data-here]");
  if (region) showPeople(region);
  const bubble = open?.querySelector("[data-typing]");
  const words = bubble?.querySelector("[data-words]");
  if (!bubble || !words || words.textContent === present.typing) return;
  words.textContent = present.typing;
  bubble.classList.toggle("is-on", present.typing !== "");
}

/** Rows are drawn anew when they change, and then bear no mark. */
function mark() {
  for (const old of document.querySelectorAll(".row-here")) {
    const row = old.closest(".row");
    if (!row || !(row.id.slice("thread-".length) in marks.threads)) old.remove();
  }
  for (const [key, state] of Object.entries(marks.threads)) {
    const place = document.querySelector(`#thread-${key} .row-marks`);
    if (!place) continue;
    let sign = place.querySelector(".row-here");
    if (!sign) {
      sign = document.createElement("span");
      place.prepend(sign);
    }
    if (sign.classList.contains(state)) continue;
    sign.className = `row-here ${state}`;
    const words = document.createElement("span");
    words.className = "hidden";
    words.textContent = MARK_WORDS[state];
    const dots = ["i", "i", "i"].map((name) => document.createElement(name));
    sign.replaceChildren(words, ...dots);
  }
}

document.addEventListener("partyline:presence", (event) => {
  const { detail } = /** @type {CustomEvent} */ (event);
  if (thread()?.dataset.thread !== String(detail.thread)) return;
  present = detail;
  show();
});

document.addEventListener("partyline:marks", (event) => {
  const { detail } = /** @type {CustomEvent} */ (event);
  if (openList() !== String(detail.list)) return;
  marks = { list: String(detail.list), threads: detail.threads };
  mark();
});

// What was known belongs to what was shown; the server answers a look with how it is now.
document.addEventListener("partyline:looked", () => {
  present = NOBODY;
  if (marks.list !== openList()) marks = { list: openList(), threads: {} };
  show();
  mark();
});

document.addEventListener("partyline:opened", () => {
  present = NOBODY;
  marks = { list: openList(), threads: {} };
  show();
  mark();
});

document.addEventListener("partyline:placed", mark);

// A refused message may have drawn the box anew, with what stands below it.
document.addEventListener("htmx:after:request", () => queueMicrotask(show));
