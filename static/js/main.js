// The page's behaviours, each in its own module and hooked by attributes of the markup. Their order
// is the order in which they hear of an event.
import "./page/composition.js";
import "./live/connection.js";
import "./page/network-errors.js";
import "./shared/requests.js";
import "./shared/times.js";
import "./live/fragments.js";
import "./conversation/history.js";
import "./composer/composer.js";
import "./conversation/read-marks.js";
import "./live/presence.js";
import "./live/presence-reports.js";
import "./list/search.js";
import "./list/lost-numbers.js";
import "./list/labels.js";
import "./list/view-counts.js";
import "./list/list-tools.js";
import "./conversation/options-menu.js";
import "./page/carets.js";
import "./page/viewport.js";
import "./conversation/deletion.js";
import "./composer/refusal.js";
import "./page/deferred-assets.js";
import "./page/keyboard-shortcuts.js";
import "./notifications/notifications.js";
import "./conversation/scroll-to-message.js";
import "./page/removed.js";
import { announceView, focusLanding } from "./page/navigation.js";

// A page further down the list is for browsers without scripts: with them it would leave a gap.
const query = new URLSearchParams(location.search);
if (query.has("before") || query.has("after")) {
  for (const name of ["before", "after", "new"]) query.delete(name);
  location.replace(`${location.pathname}?${query}`);
} else {
  announceView();
  focusLanding();
}
