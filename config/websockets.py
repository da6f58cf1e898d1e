"""The server's side of a page's socket.

Outgoing messages have no size limit: Autobahn applies its limit to both directions, but ours is
meant for incoming messages. A peer that stops reading, or sends more than the application takes,
is disconnected. Only a pong counts as an answer to a ping, because a peer that sends one has read
everything that was sent before; Daphne's own pings accept any incoming data.
"""

import os
from typing import Any

from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol

# Daphne checks each socket every 2 s. After this many checks without a pong a ping is sent.
CHECKS_TO_PING = 2

# A socket whose ping is unanswered for this many checks is closed, at most 14 s after it stopped
# reading. Checks are counted instead of seconds, so that a stalled process blames no page.
CHECKS_TO_PONG = 4

# Messages that may wait for the application; a peer that sends more is disconnected.
MAX_QUEUED_MESSAGES = 200


class PageSocket(WebSocketProtocol):
    """A socket that sends without a size limit and closes when its peer stops reading."""

    def __init__(self) -> None:
        super().__init__()
        self._checks = 0
        self._ping = b""

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if self.state != self.STATE_OPEN:
            return
        if self.application_queue.qsize() >= MAX_QUEUED_MESSAGES:
            self.dropConnection(abort=True)
            return
        super().onMessage(payload, isBinary)

    def serverSend(self, content: Any, binary: bool = False) -> None:
        """Send a message of the application, or do nothing, as ASGI asks, if the socket closes."""
        if self.state == self.STATE_CONNECTING:
            self.serverAccept()
        if self.state == self.STATE_OPEN:
            self.sendMessage(content if binary else content.encode(), binary)

    def sendMessage(
        self, payload: bytes, isBinary: bool = False, *args: Any, **kwargs: Any
    ) -> None:
        limit = self.maxMessagePayloadSize
        if not limit or len(payload) <= limit:
            super().sendMessage(payload, isBinary, *args, **kwargs)
            return
        self.beginMessage(isBinary)
        for start in range(0, len(payload), limit):
            self.sendMessageFrame(payload[start : start + limit])
        self.endMessage()

    def onPong(self, payload: bytes) -> None:
        if self._ping and payload == self._ping:
            self._ping, self._checks = b"", 0

    def check_timeouts(self) -> None:
        self.last_ping = float("inf")  # Daphne's own pings are off
        super().check_timeouts()
        if self.state != self.STATE_OPEN:
            return
        self._checks += 1
        if self._ping and self._checks > CHECKS_TO_PONG:
            self.dropConnection(abort=True)
        elif not self._ping and self._checks >= CHECKS_TO_PING:
            self._ping, self._checks = os.urandom(8), 0
            self.sendPing(self._ping)


def install_page_sockets() -> None:
    """Make Daphne use PageSocket in this process, under `serve` and the `daphne` command alike."""
    WebSocketFactory.protocol = PageSocket
