// A conversation that was opened at one of its messages: scrolls to it and marks it for a moment.
import { listen } from "../shared/events.js";
import { openThread } from "../shared/page-elements.js";

const MARKED_MS = 2_500;

listen("viewChanged", () => {
  const thread = openThread();
  const wanted = thread?.dataset.arrive;
  if (!thread || !wanted) return;
  delete thread.dataset.arrive;
  // Loaded again, the page opens at its newest message.
  const address = new URL(location.href);
  address.searchParams.delete("at");
  history.replaceState(history.state, "", address.pathname + address.search);
  const message = document.getElementById(`message-${wanted}`);
  if (!message) return;
  message.scrollIntoView({ block: "center" });
  message.classList.add("arrived");
  setTimeout(() => message.classList.remove("arrived"), MARKED_MS);
});
