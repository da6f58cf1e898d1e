"""The static files: collected when they changed, and served before Django is asked."""

import hashlib
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from whitenoise.middleware import WhiteNoiseMiddleware

_ASKED = {
    b"accept-encoding": "HTTP_ACCEPT_ENCODING",
    b"if-modified-since": "HTTP_IF_MODIFIED_SINCE",
    b"if-none-match": "HTTP_IF_NONE_MATCH",
    b"range": "HTTP_RANGE",
}
"""What the answer may depend on, by its name in ASGI and in WSGI."""


class StaticFiles:
    """An ASGI application around another: WhiteNoise's answers without a thread and a chain of
    middleware for each of the fifty files of a first page. They are small, and stay in memory."""

    def __init__(self, application: Any) -> None:
        self.application = application
        self.noise = WhiteNoiseMiddleware()
        self.always = encoded(standing_headers().items())

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        file = self.noise.files.get(scope["path"]) if scope["type"] == "http" else None
        if file is None or self.noise.autorefresh:
            await self.application(scope, receive, send)
            return
        asked = {
            _ASKED[name]: v.decode("latin-1") for name, v in scope["headers"] if name in _ASKED
        }
        answer = file.get_response(scope["method"], asked)
        body = b""
        if answer.file is not None:
            with answer.file:
                body = answer.file.read()
        headers = [*encoded(answer.headers), *self.always]
        status = int(answer.status)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def encoded(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers]


def standing_headers() -> dict[str, str]:
    """What Django's SecurityMiddleware says with every other answer."""
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
        "Cross-Origin-Opener-Policy": settings.SECURE_CROSS_ORIGIN_OPENER_POLICY,
    }
    if seconds := settings.SECURE_HSTS_SECONDS:
        hsts = f"max-age={seconds}; includeSubDomains; preload"
        headers["Strict-Transport-Security"] = hsts
    return headers


def collect_when_changed() -> bool:
    """True where something was collected."""
    if not settings.STATIC_HASHED:
        return False
    stamp = settings.DATA_DIR / "static.stamp"
    wanted = _fingerprint()
    if stamp.exists() and stamp.read_text() == wanted and settings.STATIC_ROOT.exists():
        return False
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(wanted)
    return True


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            when = storage.get_modified_time(path).timestamp()
            digest.update(f"{path}\0{storage.size(path)}\0{when}\n".encode())
    return digest.hexdigest()
