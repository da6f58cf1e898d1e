// The button says how many numbers are ticked, and what changes is shown for these alone.

const button = document.querySelector("[data-count-of]");
const boxes = [...document.querySelectorAll("input[type=checkbox][name=number]")].filter(
  (box) => box instanceof HTMLInputElement,
);
const words = button?.textContent ?? "";

function showChoice() {
  const ticked = boxes.filter((box) => box.checked);
  const count = ticked.length;
  if (button) {
    button.textContent = count ? `Use ${count} ${count === 1 ? "number" : "numbers"}` : restWords();
  }
  const addresses = new Set(ticked.map((box) => box.value.split(" ")[0]));
  for (const change of document.querySelectorAll("[data-change-of]")) {
    if (change instanceof HTMLElement) change.hidden = !addresses.has(change.dataset.changeOf ?? "");
  }
}

/** Says what the button does with nothing ticked. */
function restWords() {
  return /\d/.test(words) ? "Use the ticked numbers" : words;
}

if (boxes.length) {
  document.addEventListener("change", showChoice);
  showChoice();
}
