// Tells the server up to which message the open conversation was shown, while somebody can see it.
import { listen } from "../shared/events.js";
import { openThread, openThreadKey } from "../shared/page-elements.js";
import { post } from "../shared/requests.js";
import { newestMessageId } from "./newest-message.js";

const PAUSE_MS = 1_000;
const RETRY_MS = 5_000;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
/** What the server was told last: a thread and a message. */
let sent = "";

function sendReadMark() {
  timer = undefined;
  const thread = openThread();
  const newest = newestMessageId();
  if (document.hidden || !thread || !newest) return;
  const message = String(newest);
  const mark = `${thread.dataset.thread}:${message}`;
  if (mark === sent) return;
  sent = mark;
  post(thread.dataset.read ?? "", { message }, { keepalive: true }).catch(() => {
    if (sent === mark) sent = "";
    timer ??= setTimeout(sendReadMark, RETRY_MS);
  });
}

/** Sends the mark at most once a second; the last one is always sent. */
function sendReadMarkSoon() {
  timer ??= setTimeout(sendReadMark, PAUSE_MS);
}

// A failure is told of a message that was shown before, and is read with it.
listen("notices", ({ new: fresh }) => {
  if (!fresh.some((notification) => notification.thread === openThreadKey())) return;
  sent = "";
  sendReadMarkSoon();
});
listen("fragmentsChanged", sendReadMarkSoon);
listen("viewChanged", sendReadMarkSoon);
document.addEventListener("visibilitychange", sendReadMarkSoon);
