// A server that cannot be reached counts as one that answers 503.

document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  ctx.fetch = async (address, request) => {
    try {
      return await fetch(address, request);
    } catch (error) {
      // Aborted for a newer request: the server is fine.
      if (error instanceof DOMException && error.name === "AbortError") throw error;
      return new Response("", { status: 503 });
    }
  };
});
