"""Signing in: passwords, django-allauth and the limits for guesses."""

from config.settings.installation import PUBLIC_HOST

PASSWORD_HASHERS = [
    "inboxes.passwords.Argon2Hasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
AUTHENTICATION_BACKENDS = [
    "inboxes.sign_in.backends.PasswordBackend",
    # Checks no password, since the one above has the last word. Sessions from before it name it.
    "django.contrib.auth.backends.ModelBackend",
    "inboxes.backends.StaffBackend",
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "account_login"

# Failures in a quarter of an hour. Many people may share an address and mistype, so its limit for
# all names together is high.
SIGN_IN_WINDOW = 15 * 60  # seconds
SIGN_IN_FAILURES = 10
SIGN_IN_FAILURES_PER_ADDRESS = 50
# Wrong codes of one agent from all addresses: whoever gives one has given the password already.
# A day's are few enough that guessing takes years: three of a million are right at a time.
SIGN_IN_WRONG_CODES = 50
SIGN_IN_WRONG_CODES_A_DAY = 100
SIGN_IN_WRONG_CODES_TOLD = 10  # in a day: from then on the agent is told

# django-allauth
ACCOUNT_ADAPTER = "inboxes.sign_in.adapters.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "inboxes.sign_in.forms.SignInForm",
    "reauthenticate": "inboxes.sign_in.forms.ConfirmPasswordForm",
}
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_SIGNUP_ENABLED = False
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 5 * 60  # seconds
ACCOUNT_REAUTHENTICATION_METHODS = ["password", "mfa"]
# Ours count in the database: inboxes/sign_in/throttle.py.
ACCOUNT_RATE_LIMITS = False
MFA_ADAPTER = "inboxes.sign_in.adapters.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "inboxes.sign_in.forms.CodeForm",
    "reauthenticate": "inboxes.sign_in.forms.ConfirmCodeForm",
    "login_webauthn": "inboxes.sign_in.forms.PasskeySignInForm",
    "authenticate_webauthn": "inboxes.sign_in.forms.PasskeyStepForm",
    "reauthenticate_webauthn": "inboxes.sign_in.forms.ConfirmPasskeyForm",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_TOTP_ISSUER = f"Partyline {PUBLIC_HOST}"
MFA_TOTP_TOLERANCE = 1  # A phone's clock may be half a minute off, as before.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_RATE_LIMITS = False
USERSESSIONS_ADAPTER = "inboxes.sign_in.adapters.SessionsAdapter"
