// The pages of an account that stand on a plain sheet.
import "./admin/copy-button.js";
import "./account/printing.js";
