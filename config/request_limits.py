"""Limits for the speed and size of a request, before Daphne hands it to the application.

Daphne reads a whole request first. Without limits, a client that sends its head byte by byte holds
a connection forever, and a body of any size goes to the disk.
"""

import time
from typing import Any

import daphne.server
from daphne.http_protocol import HTTPFactory, WebRequest
from django.conf import settings
from twisted.web.http import HTTPChannel

GRACE_SECONDS = 30.0  # for a head, and for a body in addition to the time for its size
MIN_BYTES_PER_SECOND = 16 * 1024  # of a body
LINGER_SECONDS = 3.0  # for a refused client to read why
MAX_HEAD = 64 * 1024  # a carrier that calls by GET has the text in the address
MAX_BODY = 25 * 1024 * 1024  # as in nginx: one file of 20 MB and the form around it
MAX_ANONYMOUS_BODY = 1024 * 1024

_TOO_LATE = b"408 Request Timeout", b"The request took too long.\n"
_TOO_LARGE = b"413 Content Too Large", b"The body is too large.\n"


class LimitedRequest(WebRequest):
    """Daphne's request, without trust in `Daphne-Root-Path`. Django alone reads forms."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, parsePOSTFormSubmission=False, **kwargs)

    def process(self) -> Any:
        # Daphne would use it as the path under which we are mounted.
        self.requestHeaders.removeHeader(b"Daphne-Root-Path")
        return super().process()

    def handleContentChunk(self, data: bytes) -> None:
        if self.channel.count_received(len(data)):
            super().handleContentChunk(data)


class LimitedChannel(HTTPChannel):
    """A connection with limits for the time and size of its requests.

    A head has 30 s, also on a connection that sends nothing. A body has 30 s, and a second more
    for each 16 KiB that arrived, so that a picture on a slow phone connection comes through.
    """

    _deadline: Any = None
    _is_refused = False
    _begun = 0.0
    _limit = 0
    _received = 0

    def connectionMade(self) -> None:
        self.totalHeadersSize = self.MAX_LENGTH = MAX_HEAD
        super().connectionMade()
        self._call_after(GRACE_SECONDS, self._time_out)

    def dataReceived(self, data: bytes) -> None:
        if self._is_refused:
            return
        if self._deadline is None and not self.requests:
            self._call_after(GRACE_SECONDS, self._time_out)
        super().dataReceived(data)

    def rawDataReceived(self, data: bytes) -> None:
        if not self._is_refused:
            super().rawDataReceived(data)

    def allHeadersReceived(self) -> None:
        """Refuse a body with too large a Content-Length before anything of it is kept."""
        self.requests[-1].parseCookies()
        self._begun, self._received, self._limit = time.monotonic(), 0, self._body_limit()
        if self.length is not None and self.length > self._limit:
            self._refuse_request(*_TOO_LARGE)
            return
        super().allHeadersReceived()
        self._call_after(GRACE_SECONDS, self._check_pace)

    def allContentReceived(self) -> None:
        if self._is_refused:
            return
        self._cancel_deadline()
        super().allContentReceived()

    def connectionLost(self, reason: Any) -> None:
        self._cancel_deadline()
        super().connectionLost(reason)

    def count_received(self, size: int) -> bool:
        """Count received bytes of a body. Returns False if it is over the limit and refused."""
        self._received += size
        if self._received > self._limit and not self._is_refused:
            self._refuse_request(*_TOO_LARGE)
        return not self._is_refused

    def _body_limit(self) -> int:
        is_known = settings.SESSION_COOKIE_NAME.encode() in self.requests[-1].received_cookies
        if is_known or (settings.DEMO and self._path.startswith(b"/simulator/")):
            return MAX_BODY
        return max(settings.WEBHOOK_BODY_LIMIT, MAX_ANONYMOUS_BODY)

    def _check_pace(self) -> None:
        left = (
            self._begun + GRACE_SECONDS + self._received / MIN_BYTES_PER_SECOND - time.monotonic()
        )
        if left > 0:
            self._call_after(left, self._check_pace)
        else:
            self._time_out()

    def _time_out(self) -> None:
        self._refuse_request(*_TOO_LATE)

    def _refuse_request(self, status: bytes, sentence: bytes) -> None:
        """Answer, and close after a while in which further bytes are read and dropped.

        Closing a connection with unread bytes would lose the answer.
        """
        self._is_refused = True
        self.setTimeout(None)
        self._call_after(LINGER_SECONDS, self.transport.abortConnection)
        head = b"HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n"
        self.transport.write(head % (status, len(sentence)))
        self.transport.write(b"Connection: close\r\n\r\n" + sentence)
        self.transport.loseWriteConnection()

    def _call_after(self, seconds: float, function: Any) -> None:
        self._cancel_deadline()
        self._deadline = self.callLater(seconds, self._run_scheduled, function)

    def _run_scheduled(self, function: Any) -> None:
        self._deadline = None
        function()

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class LimitedFactory(HTTPFactory):
    """Daphne's factory, with our channel and our request."""

    protocol = LimitedChannel

    def buildProtocol(self, address: Any) -> Any:
        channel = super().buildProtocol(address)
        channel.requestFactory = LimitedRequest
        return channel


def install_request_limits() -> None:
    """Make Daphne use our factory in this process, under `serve` and the `daphne` command alike.

    Daphne has no setting for it.
    """
    daphne.server.HTTPFactory = LimitedFactory
