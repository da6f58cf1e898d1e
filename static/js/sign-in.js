// The pages of signing in: passkeys, and the eye that shows a password.
import "./sign-in/passkey-forms.js";
import "./sign-in/show-password.js";
