// Fragments are drawn once for many people, so they carry no token: the page has one for all deeds.

/** @returns {HTMLInputElement | null} */
function field() {
  return document.querySelector("#deeds [name=csrfmiddlewaretoken]");
}

/** @returns {string} what a deed must carry to be believed */
export function token() {
  return field()?.value ?? "";
}

/**
 * Reads the page again for a token that holds: signing in in another tab voids the old one.
 * @returns {Promise<boolean>} whether the person is still signed in
 */
export async function renewToken() {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("#deeds [name=csrfmiddlewaretoken]");
    const mine = field();
    if (!(fresh instanceof HTMLInputElement) || !mine) return false;
    for (const old of document.querySelectorAll("[name=csrfmiddlewaretoken]")) {
      if (old instanceof HTMLInputElement) old.value = fresh.value;
    }
    return true;
  } catch {
    return false;
  }
}

document.addEventListener("htmx:config:request", (event) => {
  const { request } = /** @type {CustomEvent} */ (event).detail.ctx;
  if (request.method !== "GET") request.headers["X-CSRFToken"] = token();
});
