// One sentence at the foot of the page, for what has no better place.

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** @param {string} sentence */
export function tell(sentence) {
  const notice = document.getElementById("notice");
  if (!notice) return;
  notice.textContent = sentence;
  notice.hidden = false;
  clearTimeout(timer);
  timer = setTimeout(hush, 8000);
}

export function hush() {
  const notice = document.getElementById("notice");
  if (notice) notice.hidden = true;
}
