"""This process's one listener on the channel layer."""

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
LAYER_TIMEOUT = 2.0
"""Seconds after which a channel layer that does not answer counts as away."""

PULSE_EVERY = 4.0
"""Seconds between proofs that what is said is heard. A layer's receiver can die, or its line hang
half open, without any error here."""


class Deaf(OSError):
    """The channel layer takes messages, or seems to, and they do not come."""


class Ear:
    """Hears the bells of the inboxes and agents that it was told to listen for, and what other
    processes say beside them.

    A channel layer that fails costs lateness only: the ear tries again, joins its groups anew
    and asks for a catch-up. Nothing here waits for the layer for longer than LAYER_TIMEOUT.
    """

    def __init__(
        self,
        hear: Callable[[Kind, int], None],
        overhear: Callable[[dict[str, Any]], None],
        catch_up: Callable[[], None],
    ) -> None:
        self._hear = hear
        self._overhear = overhear
        self._catch_up = catch_up
        self._channel: str | None = None
        self._groups: set[str] = set()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._task: asyncio.Task[None] | None = None
        self._is_broken = asyncio.Event()
        self._is_proven = asyncio.Event()

    async def start(self) -> None:
        """Have a channel of our own, so that joining works from now on."""
        with contextlib.suppress(*LAYER_ERRORS):
            await self._open()
        self._task = asyncio.create_task(keep_running("listening", self._keep_listening))

    async def join(self, kind: Kind, key: int) -> None:
        """Returns once bells are heard; a failing layer is mended later by the listener."""
        group = group_name(kind, key)
        async with self._turn(group):
            if group in self._groups:
                return
            self._groups.add(group)
            channel = self._channel
            if channel is not None:
                await self._try(functools.partial(_layer().group_add, group, channel))

    async def leave(self, kind: Kind, key: int) -> None:
        group = group_name(kind, key)
        async with self._turn(group):
            self._groups.discard(group)
            channel = self._channel
            if channel is not None:
                await self._try(functools.partial(_layer().group_discard, group, channel))

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task], timeout=2 * LAYER_TIMEOUT)
        channel, self._channel = self._channel, None
        groups, self._groups = self._groups, set()
        for group in groups:
            if channel is None or not await self._try(
                functools.partial(_layer().group_discard, group, channel)
            ):
                break

    def _turn(self, group: str) -> asyncio.Lock:
        """Joins and leaves of a group go one after the other: the layer's answers may cross."""
        return self._turns.setdefault(group, asyncio.Lock())

    async def _try(self, deed: Callable[[], Awaitable[None]]) -> bool:
        try:
            async with asyncio.timeout(LAYER_TIMEOUT):
                await deed()
        except (*LAYER_ERRORS, RuntimeError) as error:
            # RuntimeError: the channel went while the group was on its way.
            log.warning("A group could not be joined or left yet: %r", error)
            self._is_broken.set()
            return False
        return True

    async def _keep_listening(self) -> None:
        while True:
            try:
                if self._channel is None:
                    await self._open()
                    await self._join_again()
                    self._catch_up()
                await self._listen()
            except (*LAYER_ERRORS, RuntimeError) as error:
                log.warning("The channel layer failed; trying again: %r", error)
                self._channel = None
                await _begin_anew()
                await asyncio.sleep(RETRY_DELAY)

    async def _open(self) -> None:
        self._is_broken.clear()
        async with asyncio.timeout(LAYER_TIMEOUT):
            self._channel = await _layer().new_channel("ear")

    async def _join_again(self) -> None:
        for group in list(self._groups):
            async with asyncio.timeout(LAYER_TIMEOUT):
                await _layer().group_add(group, self._channel)

    async def _listen(self) -> None:
        """Until the layer fails, which is raised."""
        tasks = [asyncio.create_task(self._receive()), asyncio.create_task(self._watch())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            # Its own tidying talks to the layer, which may not answer.
            await asyncio.wait(tasks, timeout=LAYER_TIMEOUT)
        for task in tasks:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def _receive(self) -> None:
        while True:
            message = await _layer().receive(self._channel)
            match message.get("type"):
                case "bell":
                    self._hear(message["kind"], message["id"])
                case "pulse":
                    self._is_proven.set()
                case _:
                    self._overhear(message)

    async def _watch(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PULSE_EVERY):
                    await self._is_broken.wait()
                raise Deaf("it took too long")
            if is_single_process():
                continue
            self._is_proven.clear()
            try:
                async with asyncio.timeout(LAYER_TIMEOUT):
                    await _layer().send(self._channel, {"type": "pulse"})
                    await self._is_proven.wait()
            except TimeoutError:
                raise Deaf("nothing was heard of what we said") from None


async def _begin_anew() -> None:
    """Throw the layer's connections away: some of its faults leave them in use for good."""
    if is_single_process():
        return
    try:
        async with asyncio.timeout(LAYER_TIMEOUT):
            await _layer().flush()
    except LAYER_ERRORS as error:
        log.warning("The channel layer's connections could not be closed: %r", error)


def _layer() -> Any:
    return get_channel_layer()
