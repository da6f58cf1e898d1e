// A server that cannot be reached is an answer like any other trouble of its: 503.

document.addEventListener("htmx:config:request", (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  ctx.fetch = async (/** @type {RequestInfo} */ address, /** @type {RequestInit} */ request) => {
    try {
      return await fetch(address, request);
    } catch (error) {
      // Given up for a newer request: that is no trouble.
      if (error instanceof DOMException && error.name === "AbortError") throw error;
      return new Response("", { status: 503 });
    }
  };
});
