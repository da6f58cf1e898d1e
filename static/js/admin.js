// The administration's pages: times that the page can word, and how the browser writes them.
import "./admin/control-names.js";
import "./admin/copy-button.js";
import "./admin/row-labels.js";
import "./shared/times.js";
import "./page/locale-report.js";

if (document.querySelector("[data-week]")) import("./admin/hours.js").catch(() => {});
