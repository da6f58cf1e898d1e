// A server that cannot be reached counts as one that answers 503.

/** @type {WeakSet<Response>} the answers that no server gave */
const made = new WeakSet();

/** @param {Response} answer */
export const isUnreachable = (answer) => made.has(answer);

document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  ctx.fetch = async (address, request) => {
    try {
      return await fetch(address, request);
    } catch (error) {
      // Aborted for a newer request: the server is fine.
      if (error instanceof DOMException && error.name === "AbortError") throw error;
      const answer = new Response("", { status: 503 });
      made.add(answer);
      return answer;
    }
  };
});
