// A form whose button asks for a passkey (`data-passkey="ask"`) or makes one (`"make"`). Its options are in the element
// that `data-options` names, or at that address. Without scripts it stays hidden: there are no passkeys then.
import { askForPasskey, describeFailure, makePasskey, whyNotHere } from "./passkeys.js";

/** @param {HTMLFormElement} form */
async function loadOptions(form) {
  const where = form.dataset.options ?? "";
  if (where.startsWith("#")) return JSON.parse(document.querySelector(where)?.textContent ?? "{}");
  const answer = await fetch(where, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

/**
 * @param {HTMLFormElement} form
 * @param {string} words
 */
function say(form, words) {
  const line = form.querySelector("[data-passkey-error]");
  if (!(line instanceof HTMLElement)) return;
  line.textContent = words;
  line.hidden = !words;
}

/** @param {HTMLFormElement} form */
async function answerWithPasskey(form) {
  const field = form.querySelector("[name=credential]");
  if (!(field instanceof HTMLInputElement)) return;
  const why = whyNotHere();
  say(form, why);
  if (why) return;
  try {
    const options = await loadOptions(form);
    const isNew = form.dataset.passkey === "make";
    const made = isNew
      ? await makePasskey(options.creation_options)
      : await askForPasskey(options.request_options);
    field.value = JSON.stringify(made);
  } catch (error) {
    say(form, describeFailure(error, form.dataset.site ?? location.hostname));
    return;
  }
  form.submit();
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!(form instanceof HTMLFormElement)) continue;
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    if (button?.getAttribute("aria-busy") === "true") return;
    button?.setAttribute("aria-busy", "true");
    answerWithPasskey(form).finally(() => button?.removeAttribute("aria-busy"));
  });
}
