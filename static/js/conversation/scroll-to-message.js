// A conversation that was opened at one of its messages, or at a line of its activity: scrolls to it
// and marks it for a moment.
import { listen } from "../shared/events.js";
import { openThread } from "../shared/page-elements.js";

const MARKED_MS = 2_500;

/**
 * @param {HTMLElement | null} thread
 * @returns {string} the id of what the conversation was opened at; empty if it was not
 */
function wantedElement(thread) {
  const { arrive, arriveLine } = thread?.dataset ?? {};
  if (arriveLine) return `activity-line-${arriveLine}`;
  return arrive ? `message-${arrive}` : "";
}

listen("viewChanged", () => {
  const thread = openThread();
  const wanted = wantedElement(thread);
  if (!thread || !wanted) return;
  delete thread.dataset.arrive;
  delete thread.dataset.arriveLine;
  // Loaded again, the page opens at its newest message.
  const address = new URL(location.href);
  address.searchParams.delete("at");
  address.searchParams.delete("line");
  history.replaceState(history.state, "", address.pathname + address.search);
  const found = document.getElementById(wanted);
  if (!found) return;
  found.scrollIntoView({ block: "center" });
  found.classList.add("arrived");
  setTimeout(() => found.classList.remove("arrived"), MARKED_MS);
});
