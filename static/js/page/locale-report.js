// Tells the server in which language and time zone the agent reads times, when that has changed.
import { conventions } from "../shared/conventions.js";
import { post } from "../shared/requests.js";

const known = document.querySelector("[data-report-locale]");
const { language, timeZone } = conventions;

if (
  known instanceof HTMLElement &&
  (known.dataset.language !== language || known.dataset.timeZone !== timeZone)
) {
  const address = known.dataset.reportLocale ?? "";
  // Offline the next page says it.
  post(address, { language, time_zone: timeZone }).catch(() => {});
}
