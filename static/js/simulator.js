// The handset's times in the browser's zone, also those that arrive later.
import { rewriteTimes } from "./shared/times.js";

rewriteTimes(document);
document.addEventListener("htmx:after:swap", () => rewriteTimes(document));

// Which pictures go along with the next text.
document.addEventListener("change", ({ target }) => {
  if (!(target instanceof HTMLInputElement) || target.type !== "file") return;
  const chosen = target.form?.querySelector("[data-chosen]");
  if (chosen) chosen.textContent = [...(target.files ?? [])].map((file) => file.name).join(", ");
});
