// How the browser's language and country write times, which the server is told of: it words some
// times itself.

/** Cities that some browsers still call by a former name. @type {Record<string, string>} */
const RENAMED_ZONES = {
  "America/Godthab": "America/Nuuk",
  "Asia/Calcutta": "Asia/Kolkata",
  "Asia/Katmandu": "Asia/Kathmandu",
  "Asia/Rangoon": "Asia/Yangon",
  "Asia/Saigon": "Asia/Ho_Chi_Minh",
  "Atlantic/Faeroe": "Atlantic/Faroe",
  "Europe/Kiev": "Europe/Kyiv",
};

/**
 * @typedef {object} Conventions
 * @property {string} language as en-GB
 * @property {string} timeZone as Europe/London
 * @property {boolean} has12Hours
 * @property {boolean} hasMonthFirst
 */

/**
 * @param {string} language
 * @returns {Conventions}
 */
export function readConventions(language) {
  const clock = new Intl.DateTimeFormat(language, { hour: "numeric" }).resolvedOptions();
  const order = new Intl.DateTimeFormat(language, { month: "long", day: "numeric" })
    .formatToParts()
    .map(({ type }) => type);
  return {
    language,
    timeZone: RENAMED_ZONES[clock.timeZone] ?? (clock.timeZone || "UTC"),
    has12Hours: ["h11", "h12"].includes(clock.hourCycle ?? ""),
    hasMonthFirst: order.indexOf("month") < order.indexOf("day"),
  };
}

function browserConventions() {
  try {
    return readConventions(navigator.language);
  } catch {
    // Some browsers name their language in a way that no standard knows.
    return readConventions("en-US");
  }
}

export const conventions = browserConventions();
