// Buttons that copy what stands beside them.
import { closestTarget } from "../shared/dom.js";

const SAID_MS = 3_000;

document.addEventListener("click", async (event) => {
  const button = closestTarget(event, "[data-copy]");
  if (!(button instanceof HTMLButtonElement)) return;
  const words = button.textContent;
  try {
    await navigator.clipboard.writeText(button.dataset.copy ?? "");
    button.textContent = "Copied";
  } catch {
    button.textContent = "Couldn't copy";
  }
  setTimeout(() => (button.textContent = words), SAID_MS);
});
