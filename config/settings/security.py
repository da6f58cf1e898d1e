"""Cookies, transport and what a page may load."""

from csp.constants import NONE, SELF

from config.settings.installation import IS_HTTPS, WEBHOOK_BODY_LIMIT

# Cookies and transport follow the scheme of PUBLIC_URL: with http all works without TLS.
_HOST_ONLY = "__Host-" if IS_HTTPS else ""
SESSION_ENGINE = "inboxes.sessions"
SESSION_COOKIE_NAME = f"{_HOST_ONLY}sessionid"
CSRF_COOKIE_NAME = f"{_HOST_ONLY}csrftoken"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = IS_HTTPS
# Carriers follow no redirects: a webhook that seems to come by http is judged by its signature.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^(?i:webhooks)/"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = IS_HTTPS
# With an https address a proxy in front terminates TLS and says so (docs/deploying.md).
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if IS_HTTPS else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "config.csrf.refuse_outdated_form"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],  # which takes in the page's own socket
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = max(WEBHOOK_BODY_LIMIT, 2_621_440)
