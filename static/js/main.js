// The page's behaviours, each in its own module and hooked by attributes of the markup.
import "./live.js";
import "./reaching.js";
import "./csrf.js";
import "./times.js";
import "./placing.js";
import "./scroll.js";
import "./composer.js";
import "./mentions.js";
import "./reading.js";
import "./presence.js";
import "./typing.js";
import "./search.js";
import "./options.js";
import "./covering.js";
import "./undo.js";
import "./standing.js";
import "./lazily.js";
import "./start.js";
import "./keyboard.js";
import "./notifications.js";
import { look } from "./navigation.js";

// A page further down is for those without scripts: with them it would leave a gap.
const query = new URLSearchParams(location.search);
if (query.has("before") || query.has("after")) {
  for (const name of ["before", "after", "new"]) query.delete(name);
  location.replace(`${location.pathname}?${query}`);
} else look();
