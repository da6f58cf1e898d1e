"""The bell: after a commit, tell every process that something changed, and never what.

The one publishing function of the product. A bell carries a kind and two numbers; whoever
hears it reads the database. A lost bell costs lateness, never content, so ringing neither
waits nor fails: a request's thread hands the bell to an event loop and goes on.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine, Mapping
from typing import Any, Literal, TypedDict

from channels.exceptions import ChannelFull
from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.db import transaction
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

Kind = Literal["inbox", "agent"]

LAYER_ERRORS = (OSError, RedisError, ChannelFull)
"""What a channel layer raises while it is away or overrun; a timeout is an OSError."""

SENDING_TIMEOUT = 2.0
"""Seconds after which a bell that the channel layer does not take is given up."""


class Bell(TypedDict):
    """What crosses the channel layer."""

    type: str
    kind: Kind
    id: int
    seq: int


def group_name(kind: Kind, key: int) -> str:
    """The one place where groups are named."""
    return f"{kind}.{key}"


def ring_inbox(inbox_id: int, seq: int) -> None:
    """Ring once the running transaction has committed; nothing rings if it rolls back."""
    _ring_on_commit("inbox", inbox_id, seq)


def ring_agent(agent_id: int, seq: int) -> None:
    """As `ring_inbox`, for what concerns one agent alone."""
    _ring_on_commit("agent", agent_id, seq)


class BellLoop:
    """The event loop on which this process rings: the one it listens on, else one of its own."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()

    def attach(self) -> None:
        """Ring on the running event loop from now on."""
        self._loop = asyncio.get_running_loop()

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Start the work and return at once, from any thread."""
        asyncio.run_coroutine_threadsafe(work, self._open_loop())

    def is_attached(self) -> bool:
        return self._loop is not None and self._loop.is_running()

    def _open_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None or not self._loop.is_running():
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="bell", daemon=True).start()
            return self._loop


bell_loop = BellLoop()


def _ring_on_commit(kind: Kind, key: int, seq: int) -> None:
    bell = Bell(type="bell", kind=kind, id=key, seq=seq)
    transaction.on_commit(lambda: _ring(bell), robust=True)


def _ring(bell: Bell) -> None:
    if is_alone() and not bell_loop.is_attached():
        return  # nobody listens in this process, and the memory reaches no other
    bell_loop.run(_send(bell))


async def _send(bell: Bell) -> None:
    # Whatever ails the channel layer, the pages' catch-up brings what this bell announced.
    await say(bell["kind"], bell["id"], bell)


async def say(kind: Kind, key: int, message: Mapping[str, object]) -> bool:
    """Tell a group something now; False if the channel layer did not take it in time."""
    layer = get_channel_layer()
    if layer is None:
        return False
    try:
        async with asyncio.timeout(SENDING_TIMEOUT):
            await layer.group_send(group_name(kind, key), dict(message))
    except LAYER_ERRORS as error:
        log.warning("What was said to %s %s was lost: %r", kind, key, error)
        return False
    return True


def is_alone() -> bool:
    """Whether the channel layer reaches no other process."""
    return isinstance(get_channel_layer(), InMemoryChannelLayer)
