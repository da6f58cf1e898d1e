// When the inbox of the open thread opens or closes, the composer says so: a page may stay open for
// days, and a laptop may sleep through it.
import { announce } from "../shared/events.js";

const PAUSE_MS = 10_000;

function followHours() {
  const until = document.getElementById("reply")?.dataset.until ?? "";
  // The server says what comes then, and is asked again if its clock is behind.
  if (Date.parse(until) <= Date.now()) announce("hoursChanged");
}

setInterval(followHours, PAUSE_MS);
document.addEventListener("visibilitychange", () => document.hidden || followHours());
