// The day of what is in view: its heading stays at the top of the history while one scrolls.

/** Pixels from the top at which a heading stays; see `.day` in `conversation.css`. */
const STAYS_AT = 8;

/**
 * Shows one of the headings that stay at the top: that of the last day to reach it.
 * @param {HTMLElement} log
 */
export function showDayInSight(log) {
  const line = log.getBoundingClientRect().top + log.clientTop + STAYS_AT + 1;
  const days = [...log.querySelectorAll(":scope > .day")];
  const passed = days.filter((day) => day.getBoundingClientRect().top <= line);
  for (const day of days) {
    const isCovered = passed.includes(day) && day !== passed.at(-1);
    if (day.classList.contains("covered") !== isCovered) day.classList.toggle("covered", isCovered);
  }
}
