// Tells the server how far the open conversation was shown, while somebody can see it.
import { token } from "../shared/csrf.js";
import { newestShown } from "./newest-message.js";

const PAUSE = 1000;
/** After a mark that did not reach the server. */
const AGAIN = 5000;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
let told = "";

function tellRead() {
  timer = undefined;
  const thread = document.querySelector(".thread");
  const newest = newestShown();
  if (document.hidden || !(thread instanceof HTMLElement) || !newest) return;
  const message = String(newest);
  const what = `${thread.dataset.thread}:${message}`;
  if (what === told) return;
  told = what;
  fetch(thread.dataset.read ?? "", {
    method: "POST",
    headers: { "X-CSRFToken": token() },
    body: new URLSearchParams({ message }),
    keepalive: true,
  }).catch(() => {
    if (told === what) told = "";
    timer ??= setTimeout(tellRead, AGAIN);
  });
}

/** At most once a second, and the last state always. */
function soon() {
  timer ??= setTimeout(tellRead, PAUSE);
}

document.addEventListener("partyline:placed", soon);
document.addEventListener("partyline:looked", soon);
document.addEventListener("visibilitychange", soon);
