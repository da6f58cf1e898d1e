"""This process's one listener on the channel layer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from channels.layers import get_channel_layer

from inboxes.bell import LAYER_ERRORS, Kind, group_name

log = logging.getLogger(__name__)

RETRY_DELAY = 1.0


class Ear:
    """Hears the bells of the inboxes and agents that it was told to listen for.

    A channel layer that fails costs lateness only: the ear tries again, joins its groups anew
    and asks for a catch-up.
    """

    def __init__(self, hear: Callable[[Kind, int], None], catch_up: Callable[[], None]) -> None:
        self._hear = hear
        self._catch_up = catch_up
        self._channel: str | None = None
        self._groups: set[str] = set()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Have a channel of our own, so that joining works from now on."""
        await self._open()
        self._task = asyncio.create_task(self._listen())

    async def join(self, kind: Kind, key: int) -> None:
        """Returns once bells are heard; a failing layer is mended later by the listener."""
        group = group_name(kind, key)
        if group in self._groups:
            return
        self._groups.add(group)
        await self._add(group)

    async def leave(self, kind: Kind, key: int) -> None:
        group = group_name(kind, key)
        self._groups.discard(group)
        if self._channel is not None:
            try:
                await _layer().group_discard(group, self._channel)
            except LAYER_ERRORS as error:
                log.warning("A group could not be left: %r", error)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for group in list(self._groups):
            if self._channel is not None:
                await _layer().group_discard(group, self._channel)
        self._groups.clear()

    async def _listen(self) -> None:
        while True:
            try:
                if self._channel is None:
                    await self._open()
                    for group in list(self._groups):
                        await _layer().group_add(group, self._channel)
                    self._catch_up()
                bell = await _layer().receive(self._channel)
                self._hear(bell["kind"], bell["id"])
            except LAYER_ERRORS as error:
                log.warning("The channel layer failed; trying again: %r", error)
                self._channel = None
                await asyncio.sleep(RETRY_DELAY)

    async def _open(self) -> None:
        try:
            self._channel = await _layer().new_channel("ear")
        except LAYER_ERRORS as error:
            log.warning("The channel layer is away: %r", error)
            self._channel = None

    async def _add(self, group: str) -> None:
        if self._channel is None:
            return
        try:
            await _layer().group_add(group, self._channel)
        except LAYER_ERRORS as error:
            log.warning("A group could not be joined yet: %r", error)
            self._channel = None


def _layer() -> Any:
    return get_channel_layer()
