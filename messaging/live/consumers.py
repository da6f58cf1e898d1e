"""The page's one socket: signs in, listens to what the page looks at, forwards frames."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qs

from channels.generic.websocket import AsyncWebsocketConsumer

from inboxes.models import Agent
from messaging.live.frames import Frame
from messaging.live.hub import hub_of_this_loop
from messaging.live.pages import SIGNED_OUT, BadLook, Look, Page, read
from messaging.live.presence import Here

MALFORMED = 4400
TOO_MANY = 4429
TOO_MANY_PAGES = 4430
TOO_BIG = 1009

MAX_BYTES = 64 * 1024
MAX_PER_WINDOW = 150
WINDOW = 5.0
"""Seconds in which a page may say MAX_PER_WINDOW things."""

MAX_PAGES = 40
"""Sockets that one agent may have open in a process."""


class LiveConsumer(AsyncWebsocketConsumer):
    """Speaks what `messaging.live.pages` describes; closes with a code on anything else."""

    channel_layer_alias = "none"
    """No layer of its own: it hears its process's hub alone, and connects while Redis is away."""

    page: Page | None = None

    async def connect(self) -> None:
        agent = self.scope.get("user")
        await self.accept()
        if not isinstance(agent, Agent) or not agent.is_active:
            await self.close(SIGNED_OUT)
            return
        try:
            query = parse_qs(self.scope["query_string"].decode("ascii", "replace"))
            look = Look.parse_text(query.get("look", ["{}"])[0])
        except BadLook:
            await self.close(MALFORMED)
            return
        hub = hub_of_this_loop()
        if len(hub.by_agent.get(agent.pk, ())) >= MAX_PAGES:
            await self.close(TOO_MANY_PAGES)
            return
        self._window, self._said = time.monotonic(), 0
        self.page = Page(
            agent_id=agent.pk,
            session_key=self.scope["session"].session_key or "",
            session_hash=agent.get_session_auth_hash(),
            deliver=self._forward,
            hang_up=self._end,
            name=agent.display_name,
            short_name=agent.short_name,
        )
        await hub.join(self.page, look)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.page is None:
            return
        if text_data is None or len(text_data) > MAX_BYTES:
            await self._end(MALFORMED if text_data is None else TOO_BIG)
            return
        if self._is_too_much():
            await self._end(TOO_MANY)
            return
        try:
            await self._hear(self.page, text_data)
        except BadLook:
            await self._end(MALFORMED)

    async def _hear(self, page: Page, text: str) -> None:
        """What the page shows, or who sits before it. Raises BadLook on anything else."""
        said, hub = read(text), hub_of_this_loop()
        if isinstance(said, dict) and "here" in said:
            hub.presence.here(page, Here.parse(said["here"]))
        elif isinstance(said, dict) and "gone" in said:
            hub.presence.leave(page)
        else:
            await hub.look(page, Look.parse(said))

    async def __call__(self, *args: Any) -> None:
        """Whatever ends the connection, a cancelled handler included, ends the page."""
        try:
            await super().__call__(*args)
        finally:
            await self._leave()

    def _is_too_much(self) -> bool:
        now = time.monotonic()
        if now - self._window > WINDOW:
            self._window, self._said = now, 0
        self._said += 1
        return self._said > MAX_PER_WINDOW

    async def _forward(self, frame: Frame) -> None:
        if self.page is not None:
            await self.send(text_data=frame)

    async def _end(self, code: int) -> None:
        """Nothing follows the code: the page leaves before the other side has hung up."""
        if self.page is not None:
            await self._leave()
            await self.close(code)

    async def _leave(self) -> None:
        page, self.page = self.page, None
        if page is not None:
            await hub_of_this_loop().leave(page)
