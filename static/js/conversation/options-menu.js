// The menu of thread options: keys, where it stands, and its words when another tab changes them.

/** @returns {HTMLElement | null} */
const menu = () => document.querySelector("#options");

/** @returns {HTMLElement[]} */
const items = () =>
  /** @type {HTMLElement[]} */ ([...(menu()?.querySelectorAll("[role^=menuitem]") ?? [])]).filter(
    (item) => item.offsetParent !== null,
  );

/** @returns {HTMLElement | null} */
const button = () => document.querySelector("#options-button");

/** @param {HTMLElement} shown */
function stand(shown) {
  const from = button()?.getBoundingClientRect();
  if (!from) return;
  shown.style.top = `${from.bottom + 4}px`;
  shown.style.right = `${document.documentElement.clientWidth - from.right}px`;
}

// These events do not bubble.
document.addEventListener(
  "beforetoggle",
  (event) => {
    if (event.target === menu() && /** @type {ToggleEvent} */ (event).newState === "open") {
      stand(/** @type {HTMLElement} */ (event.target));
    }
  },
  true,
);

document.addEventListener(
  "toggle",
  (event) => {
    if (event.target !== menu()) return;
    const isOpen = /** @type {ToggleEvent} */ (event).newState === "open";
    button()?.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) items()[0]?.focus();
  },
  true,
);

document.addEventListener("keydown", (event) => {
  const target = event.target;
  if (!(target instanceof HTMLElement)) return;
  if (target === button() && ["ArrowDown", "ArrowUp"].includes(event.key)) {
    event.preventDefault();
    menu()?.showPopover();
    return;
  }
  if (!menu()?.contains(target)) return;
  const all = items();
  const here = all.indexOf(target);
  const last = all.length - 1;
  const next = {
    ArrowDown: here === last ? 0 : here + 1,
    ArrowUp: here <= 0 ? last : here - 1,
    Home: 0,
    End: last,
  }[event.key];
  if (next !== undefined) {
    event.preventDefault();
    all[next]?.focus();
  } else if (event.key === "Tab") {
    menu()?.hidePopover();
  }
});

// Chosen is closed; the answer comes into the closed menu.
document.addEventListener("click", (event) => {
  const item = event.target instanceof Element && event.target.closest("#options [role^=menuitem]");
  if (!item) return;
  menu()?.hidePopover();
  button()?.focus({ preventScroll: true });
});

window.addEventListener("resize", () => {
  const shown = menu();
  if (shown?.matches(":popover-open")) stand(shown);
});

document.addEventListener("partyline:muted", (event) => {
  const isMuted = /** @type {CustomEvent} */ (event).detail[menu()?.dataset.thread ?? ""];
  const item = menu()?.querySelector("[data-mute]");
  const word = item?.querySelector("[data-word]");
  if (isMuted === undefined || !item || !word) return;
  item.setAttribute("value", isMuted ? "0" : "1");
  word.textContent = isMuted ? "Unmute" : "Mute";
});

// The title says which priority holds, also after a colleague set it.
document.addEventListener("partyline:placed", () => {
  const title = document.querySelector(".thread [data-priority]");
  if (!(title instanceof HTMLElement)) return;
  for (const choice of menu()?.querySelectorAll("[data-priority-choice]") ?? []) {
    const isChecked = String(choice.getAttribute("value") === title.dataset.priority);
    if (choice.getAttribute("aria-checked") !== isChecked) {
      choice.setAttribute("aria-checked", isChecked);
    }
  }
});
