"""Collecting static files when they changed, and serving them before Django is asked."""

import hashlib
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from whitenoise.middleware import WhiteNoiseMiddleware

# Headers on which the answer may depend, by their ASGI names, with their WSGI names.
_REQUEST_HEADERS = {
    b"accept-encoding": "HTTP_ACCEPT_ENCODING",
    b"if-modified-since": "HTTP_IF_MODIFIED_SINCE",
    b"if-none-match": "HTTP_IF_NONE_MATCH",
    b"range": "HTTP_RANGE",
}


class StaticFiles:
    """ASGI middleware that gives WhiteNoise's answers without Django's thread and middleware.

    A first page loads fifty files. They are small enough to be read into memory.
    """

    def __init__(self, application: Any) -> None:
        self.application = application
        self.whitenoise = WhiteNoiseMiddleware()
        self.extra_headers = encode_headers(security_headers().items())

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        file = self.whitenoise.files.get(scope["path"]) if scope["type"] == "http" else None
        if file is None or self.whitenoise.autorefresh:
            await self.application(scope, receive, send)
            return
        conditions = {
            _REQUEST_HEADERS[name]: v.decode("latin-1")
            for name, v in scope["headers"]
            if name in _REQUEST_HEADERS
        }
        answer = file.get_response(scope["method"], conditions)
        body = b""
        if answer.file is not None:
            with answer.file:
                body = answer.file.read()
        headers = [*encode_headers(answer.headers), *self.extra_headers]
        status = int(answer.status)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def encode_headers(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers]


def security_headers() -> dict[str, str]:
    """Return the headers that Django's SecurityMiddleware adds to every other answer."""
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
        "Cross-Origin-Opener-Policy": settings.SECURE_CROSS_ORIGIN_OPENER_POLICY,
    }
    if seconds := settings.SECURE_HSTS_SECONDS:
        hsts = f"max-age={seconds}; includeSubDomains; preload"
        headers["Strict-Transport-Security"] = hsts
    return headers


def collect_static_if_changed() -> bool:
    """Collect the static files if any changed since the last time. Returns True if so."""
    if not settings.STATIC_HASHED:
        return False
    stamp = settings.DATA_DIR / "static.stamp"
    fingerprint = _fingerprint_files()
    if stamp.exists() and stamp.read_text() == fingerprint and settings.STATIC_ROOT.exists():
        return False
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(fingerprint)
    return True


def _fingerprint_files() -> str:
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            when = storage.get_modified_time(path).timestamp()
            digest.update(f"{path}\0{storage.size(path)}\0{when}\n".encode())
    return digest.hexdigest()
