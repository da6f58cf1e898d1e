"""Serve a CSV file while it is being written, so that it is never whole in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.http import content_disposition_header

from inboxes.database import release_connection


def stream_csv(request: HttpRequest, parts: Iterator[str], name: str) -> StreamingHttpResponse:
    """Return a response that is saved under the name; each part is read when it is needed."""
    steps = _encode(parts)
    content = _in_threads(steps) if isinstance(request, ASGIRequest) else steps
    response = StreamingHttpResponse(content, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


def _encode(parts: Iterator[str]) -> Iterator[bytes]:
    """Yield the parts; while one is on its way to the browser, no connection is held."""
    for part in parts:
        release_connection()
        yield part.encode()


async def _in_threads(steps: Iterator[bytes]) -> AsyncIterator[bytes]:
    def advance() -> bytes | None:
        return next(steps, None)

    while (part := await sync_to_async(advance)()) is not None:
        yield part
