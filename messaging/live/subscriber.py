"""The process's one listener on the channel layer."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from weakref import WeakValueDictionary

from channels.layers import get_channel_layer

from inboxes.bell import LAYER_ERRORS, Kind, group_name, is_single_process
from messaging.live.supervision import keep_running

log = logging.getLogger(__name__)

RETRY_DELAY = 1.0
LAYER_TIMEOUT = 2.0  # Seconds after which a channel layer that does not answer counts as away

# Seconds between probes that the layer delivers what we send. Its receiver can die, or its
# connection hang half open, without any error here.
PROBE_INTERVAL = 4.0


class LayerSilent(OSError):
    """Raised when the channel layer seems to accept messages but does not deliver them."""


class Subscriber:
    """Receive the bells of the inboxes and agents that were joined, and other processes' messages.

    A channel layer that fails costs lateness only: the subscriber reconnects, joins its groups
    again and asks for a catch-up. Nothing here waits for the layer for longer than LAYER_TIMEOUT.
    """

    def __init__(
        self,
        on_bell: Callable[[Kind, int], None],
        on_message: Callable[[dict[str, Any]], None],
        on_reconnect: Callable[[], None],
    ) -> None:
        self._on_bell = on_bell
        self._on_message = on_message
        self._on_reconnect = on_reconnect
        self._channel: str | None = None
        self._groups: set[str] = set()
        self._group_locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._task: asyncio.Task[None] | None = None
        self._is_broken = asyncio.Event()
        self._probe_received = asyncio.Event()

    async def start(self) -> None:
        """Open a channel of our own, so that joining works from now on."""
        with contextlib.suppress(*LAYER_ERRORS):
            await self._open_channel()
        self._task = asyncio.create_task(keep_running("listening", self._keep_listening))

    async def join_group(self, kind: Kind, key: int) -> None:
        """Return once bells are received; after a failure the listener joins the group later."""
        group = group_name(kind, key)
        async with self._group_lock(group):
            if group in self._groups:
                return
            self._groups.add(group)
            channel = self._channel
            if channel is not None:
                await self._try_group_call(
                    functools.partial(_channel_layer().group_add, group, channel)
                )

    async def leave_group(self, kind: Kind, key: int) -> None:
        group = group_name(kind, key)
        async with self._group_lock(group):
            self._groups.discard(group)
            channel = self._channel
            if channel is not None:
                await self._try_group_call(
                    functools.partial(_channel_layer().group_discard, group, channel)
                )

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task], timeout=2 * LAYER_TIMEOUT)
        channel, self._channel = self._channel, None
        groups, self._groups = self._groups, set()
        for group in groups:
            if channel is None or not await self._try_group_call(
                functools.partial(_channel_layer().group_discard, group, channel)
            ):
                break

    def _group_lock(self, group: str) -> asyncio.Lock:
        """Serialise joining and leaving a group: the layer's answers may overtake each other."""
        return self._group_locks.setdefault(group, asyncio.Lock())

    async def _try_group_call(self, call: Callable[[], Awaitable[None]]) -> bool:
        try:
            async with asyncio.timeout(LAYER_TIMEOUT):
                await call()
        except (*LAYER_ERRORS, RuntimeError) as error:
            # RuntimeError: the channel closed while the group was being joined.
            log.warning("A group could not be joined or left yet: %r", error)
            self._is_broken.set()
            return False
        return True

    async def _keep_listening(self) -> None:
        while True:
            try:
                if self._channel is None:
                    await self._open_channel()
                    await self._rejoin_groups()
                    self._on_reconnect()
                await self._listen_until_failure()
            except (*LAYER_ERRORS, RuntimeError) as error:
                log.warning("The channel layer failed; trying again: %r", error)
                self._channel = None
                await _drop_connections()
                await asyncio.sleep(RETRY_DELAY)

    async def _open_channel(self) -> None:
        self._is_broken.clear()
        async with asyncio.timeout(LAYER_TIMEOUT):
            self._channel = await _channel_layer().new_channel("subscriber")

    async def _rejoin_groups(self) -> None:
        for group in list(self._groups):
            async with asyncio.timeout(LAYER_TIMEOUT):
                await _channel_layer().group_add(group, self._channel)

    async def _listen_until_failure(self) -> None:
        """Receive and probe until the layer fails; raise that failure."""
        tasks = [
            asyncio.create_task(self._receive_messages()),
            asyncio.create_task(self._probe_layer()),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            # Their clean-up talks to the layer, which may not answer.
            await asyncio.wait(tasks, timeout=LAYER_TIMEOUT)
        for task in tasks:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def _receive_messages(self) -> None:
        while True:
            message = await _channel_layer().receive(self._channel)
            match message.get("type"):
                case "bell":
                    self._on_bell(message["kind"], message["id"])
                case "probe":
                    self._probe_received.set()
                case _:
                    self._on_message(message)

    async def _probe_layer(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PROBE_INTERVAL):
                    await self._is_broken.wait()
                raise LayerSilent("a call took too long")
            if is_single_process():
                continue
            self._probe_received.clear()
            try:
                async with asyncio.timeout(LAYER_TIMEOUT):
                    await _channel_layer().send(self._channel, {"type": "probe"})
                    await self._probe_received.wait()
            except TimeoutError:
                raise LayerSilent("a probe did not come back") from None


async def _drop_connections() -> None:
    """Close the layer's connections: some faults leave broken ones in use."""
    if is_single_process():
        return
    try:
        async with asyncio.timeout(LAYER_TIMEOUT):
            await _channel_layer().flush()
    except LAYER_ERRORS as error:
        log.warning("The channel layer's connections could not be closed: %r", error)


def _channel_layer() -> Any:
    return get_channel_layer()
