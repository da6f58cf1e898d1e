// A conversation opened at one of its messages: shows it and marks it for a moment.

const MARKED_FOR = 2_500;

document.addEventListener("partyline:looked", () => {
  const thread = /** @type {HTMLElement | null} */ (document.querySelector("article.thread"));
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
  setTimeout(() => message.classList.remove("arrived"), MARKED_FOR);
});
