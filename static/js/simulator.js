// The handset's times in the browser's zone, also those that arrive later.
import { rewrite } from "./times.js";

rewrite(document);
document.addEventListener("htmx:after:swap", () => rewrite(document));
