// One sentence at the foot of the page, for what has no better place.

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** Whether the sentence offers a deed: that stays while one moves on. */
let isOffer = false;

const place = () => document.getElementById("notice");

/**
 * @param {string} sentence
 */
export function tell(sentence) {
  show(8_000, false, (notice) => (notice.textContent = sentence));
}

/**
 * A sentence with a button, from the server.
 * @param {string} html
 */
export function offer(html) {
  show(10_000, true, (notice) => {
    notice.innerHTML = html;
    window.htmx?.process(notice);
  });
}

/**
 * @param {number} milliseconds
 * @param {boolean} offers
 * @param {(notice: HTMLElement) => void} fill
 */
function show(milliseconds, offers, fill) {
  const notice = place();
  if (!notice) return;
  fill(notice);
  notice.hidden = false;
  isOffer = offers;
  clearTimeout(timer);
  timer = setTimeout(pass, milliseconds);
}

/** The time is over, unless somebody is about to press the button. */
function pass() {
  const isInUse = isOffer && place()?.matches(":hover, :focus-within");
  if (isInUse) timer = setTimeout(pass, 1_000);
  else withdraw();
}

/** Takes away what stands there, an offer too. */
export function withdraw() {
  const notice = place();
  if (notice) notice.hidden = true;
  isOffer = false;
}

/** What was told is over, since one has moved on. */
export function hush() {
  if (!isOffer) withdraw();
}

// What the server offers at the first load goes like any other.
const first = place();
if (first && !first.hidden && first.querySelector("[data-undo]")) {
  isOffer = true;
  timer = setTimeout(pass, 10_000);
}
