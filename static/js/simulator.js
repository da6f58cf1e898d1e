// The handset: times in the browser's time zone, also those that come later.
import { rewriteTimes } from "./shared/times.js";

rewriteTimes(document);
document.addEventListener("htmx:after:swap", () => rewriteTimes(document));

// Shows which pictures go along with the next text.
document.addEventListener("change", ({ target }) => {
  if (!(target instanceof HTMLInputElement) || target.type !== "file") return;
  const chosen = target.form?.querySelector("[data-chosen]");
  if (chosen) chosen.textContent = [...(target.files ?? [])].map((file) => file.name).join(", ");
});
