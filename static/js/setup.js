// The pages of the first start.
import "./admin/copy-button.js";
