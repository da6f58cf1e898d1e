// The administration's pages: times that the page can word, and how the browser writes them.
import "./shared/times.js";
import "./page/locale-report.js";
