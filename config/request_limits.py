"""What a request may be, before anything of it is kept: how slow, how large, and what it may say.

Daphne takes a whole request before the application hears of it. Without these limits a head that
drips a byte a second holds its connection for ever, and a body of any size goes to the disk.
"""

import time
from typing import Any

import daphne.server
from daphne.http_protocol import HTTPFactory, WebRequest
from django.conf import settings
from twisted.web.http import HTTPChannel

GRACE = 30.0  # seconds for a head, and for a body beside what its size takes
SLOWEST = 16 * 1024  # bytes a second of a body, after which it is no line but a trick
LINGER = 3.0  # seconds in which who is refused may read why
LARGEST = 25 * 1024 * 1024  # nginx has the same: one file of 20 MB and the form around it
LARGEST_OF_STRANGERS = 1024 * 1024

_TOO_LATE = b"408 Request Timeout", b"The request took too long.\n"
_TOO_LARGE = b"413 Content Too Large", b"The body is too large.\n"


class LimitedRequest(WebRequest):
    """Daphne's, without what it believes of a caller, and without reading forms: Django does."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, parsePOSTFormSubmission=False, **kwargs)

    def process(self) -> Any:
        # Daphne would take it for the path under which we live.
        self.requestHeaders.removeHeader(b"Daphne-Root-Path")
        return super().process()

    def handleContentChunk(self, data: bytes) -> None:
        if self.channel.take(len(data)):
            super().handleContentChunk(data)


class LimitedChannel(HTTPChannel):
    """A connection whose requests have to come within a time, and within a size.

    A head has 30 s, also the first one of a connection that says nothing. A body has 30 s and a
    second for each 16 KiB that came of it, so a picture over a slow phone line comes through.
    """

    _deadline: Any = None
    _is_refused = False
    _begun = 0.0
    _limit = 0
    _received = 0

    def connectionMade(self) -> None:
        super().connectionMade()
        self._call_in(GRACE, self._give_up)

    def dataReceived(self, data: bytes) -> None:
        if self._is_refused:
            return
        if self._deadline is None and not self.requests:
            self._call_in(GRACE, self._give_up)
        super().dataReceived(data)

    def rawDataReceived(self, data: bytes) -> None:
        if not self._is_refused:
            super().rawDataReceived(data)

    def allHeadersReceived(self) -> None:
        """Refuse a body that says how large it is before any of it is kept."""
        self.requests[-1].parseCookies()
        self._begun, self._received, self._limit = time.monotonic(), 0, self._largest()
        if self.length is not None and self.length > self._limit:
            self._refuse(*_TOO_LARGE)
            return
        super().allHeadersReceived()
        self._call_in(GRACE, self._look_at_pace)

    def allContentReceived(self) -> None:
        if self._is_refused:
            return
        self._forget_deadline()
        super().allContentReceived()

    def connectionLost(self, reason: Any) -> None:
        self._forget_deadline()
        super().connectionLost(reason)

    def take(self, size: int) -> bool:
        """Count what came of a body; False when it is over the limit, and refused."""
        self._received += size
        if self._received > self._limit and not self._is_refused:
            self._refuse(*_TOO_LARGE)
        return not self._is_refused

    def _largest(self) -> int:
        is_known = settings.SESSION_COOKIE_NAME.encode() in self.requests[-1].received_cookies
        if is_known or (settings.DEMO and self._path.startswith(b"/simulator/")):
            return LARGEST
        return max(settings.WEBHOOK_BODY_LIMIT, LARGEST_OF_STRANGERS)

    def _look_at_pace(self) -> None:
        left = self._begun + GRACE + self._received / SLOWEST - time.monotonic()
        if left > 0:
            self._call_in(left, self._look_at_pace)
        else:
            self._give_up()

    def _give_up(self) -> None:
        self._refuse(*_TOO_LATE)

    def _refuse(self, status: bytes, sentence: bytes) -> None:
        """Answer, and close. What still comes is read and dropped for a while: a line that is
        closed over unread bytes takes the answer with it."""
        self._is_refused = True
        self.setTimeout(None)
        self._call_in(LINGER, self.transport.abortConnection)
        head = b"HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n"
        self.transport.write(head % (status, len(sentence)))
        self.transport.write(b"Connection: close\r\n\r\n" + sentence)
        self.transport.loseWriteConnection()

    def _call_in(self, seconds: float, what: Any) -> None:
        self._forget_deadline()
        self._deadline = self.callLater(seconds, self._fire, what)

    def _fire(self, what: Any) -> None:
        self._deadline = None
        what()

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class LimitedFactory(HTTPFactory):
    """Daphne's, with our channel and our request."""

    protocol = LimitedChannel

    def buildProtocol(self, address: Any) -> Any:
        channel = super().buildProtocol(address)
        channel.requestFactory = LimitedRequest
        return channel


def limit_requests() -> None:
    """Have every server that Daphne starts in this process use them: `serve`'s and its own
    command's. Daphne has no setting for it."""
    daphne.server.HTTPFactory = LimitedFactory
