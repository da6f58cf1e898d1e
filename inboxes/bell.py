"""The bell: after a commit, tell every process that something changed, but not what.

All changes are published here and nowhere else. A bell carries a kind, an id and a counter; its
receivers read the database. A lost bell makes pages late, but they lose nothing. So ringing
neither waits nor fails: the thread of a request hands the bell to an event loop and goes on.
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

# Raised by a channel layer that is down or overrun. A timeout is an OSError.
LAYER_ERRORS = (OSError, RedisError, ChannelFull)

SEND_TIMEOUT_SECONDS = 2.0


class Bell(TypedDict):
    """The message that goes over the channel layer."""

    type: str
    kind: Kind
    id: int
    seq: int


def group_name(kind: Kind, key: int) -> str:
    """Return the name of a channel layer group; nothing else makes these names."""
    return f"{kind}.{key}"


def ring_inbox(inbox_id: int, seq: int) -> None:
    """Ring after the running transaction commits; a rollback rings nothing."""
    _ring_on_commit("inbox", inbox_id, seq)


def ring_agent(agent_id: int, seq: int) -> None:
    """Do as `ring_inbox` for a change that concerns one agent alone."""
    _ring_on_commit("agent", agent_id, seq)


class BellLoop:
    """The event loop on which this process rings: the one it listens on, else one of its own."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()

    def attach_running_loop(self) -> None:
        """Use the running event loop from now on."""
        self._loop = asyncio.get_running_loop()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Start a coroutine from any thread, without waiting for it."""
        asyncio.run_coroutine_threadsafe(work, self._ensure_loop())

    def is_attached(self) -> bool:
        return self._loop is not None and self._loop.is_running()

    def _ensure_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None or not self._loop.is_running():
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="bell", daemon=True).start()
            return self._loop


bell_loop = BellLoop()


def _ring_on_commit(kind: Kind, key: int, seq: int) -> None:
    bell = Bell(type="bell", kind=kind, id=key, seq=seq)
    transaction.on_commit(lambda: _ring_now(bell), robust=True)


def _ring_now(bell: Bell) -> None:
    if is_single_process() and not bell_loop.is_attached():
        return  # nobody listens here, and an in-memory layer reaches no other process
    bell_loop.start(_send_bell(bell))


async def _send_bell(bell: Bell) -> None:
    # If it is lost, the pages' catch-up brings what this bell announced.
    await send_to_group(bell["kind"], bell["id"], bell)


async def send_to_group(kind: Kind, key: int, message: Mapping[str, object]) -> bool:
    """Send to a group now. Returns False if the channel layer did not take it in time."""
    layer = get_channel_layer()
    if layer is None:
        return False
    try:
        async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
            await layer.group_send(group_name(kind, key), dict(message))
    except LAYER_ERRORS as error:
        log.warning("A message to %s %s was lost: %r", kind, key, error)
        return False
    return True


def is_single_process() -> bool:
    """Return True if the channel layer reaches no other process."""
    return isinstance(get_channel_layer(), InMemoryChannelLayer)
