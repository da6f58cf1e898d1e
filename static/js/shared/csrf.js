// Fragments are drawn once for many people, so they carry no token: the page has one for all of its
// requests.

/** @returns {HTMLInputElement | null} */
const tokenField = () => document.querySelector("#deeds [name=csrfmiddlewaretoken]");

/** @returns {string} empty where nobody is signed in */
export const csrfToken = () => tokenField()?.value ?? "";

/**
 * Reads the page again for a token that holds: signing in in another tab makes the old one void.
 * @returns {Promise<boolean>} whether the agent is still signed in
 */
export async function renewCsrfToken() {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("#deeds [name=csrfmiddlewaretoken]");
    if (!(fresh instanceof HTMLInputElement) || !tokenField()) return false;
    for (const old of document.querySelectorAll("[name=csrfmiddlewaretoken]")) {
      if (old instanceof HTMLInputElement) old.value = fresh.value;
    }
    return true;
  } catch {
    return false;
  }
}
