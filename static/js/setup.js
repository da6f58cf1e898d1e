// The pages of the first start.
import "./admin/copy-button.js";
import "./setup/number-choice.js";
import "./sign-in/show-password.js";
import { rewriteTimes } from "./shared/times.js";

rewriteTimes(document);
