// Buttons that print the page.
import { closestTarget } from "../shared/dom.js";

document.addEventListener("click", (event) => {
  if (closestTarget(event, "[data-print]")) window.print();
});
