"""Serve the one socket of a page: sign in, follow what the page shows, forward frames."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async as in_database
from channels.generic.websocket import AsyncWebsocketConsumer

from inboxes.models import Agent
from inboxes.sign_in import demand
from messaging.live.frames import Frame
from messaging.live.hub import hub_of_this_loop
from messaging.live.pages import (
    NEEDS_SECOND_STEP,
    SIGNED_OUT,
    BadMessage,
    Page,
    PageView,
    parse_json,
)
from messaging.live.presence import PresenceReport

MALFORMED = 4400
TOO_MANY = 4429
TOO_MANY_PAGES = 4430
TOO_BIG = 1009

MAX_BYTES = 64 * 1024
MAX_PER_WINDOW = 150
WINDOW = 5.0  # Seconds in which a page may send MAX_PER_WINDOW messages

MAX_PAGES = 40  # Sockets that one agent may have open in one process


class LiveConsumer(AsyncWebsocketConsumer):
    """Speak the protocol of `messaging.live.pages`; close with a code on anything else."""

    # No channel layer of its own: it depends on the hub alone, and connects while Redis is away.
    channel_layer_alias = "none"

    page: Page | None = None

    async def connect(self) -> None:
        agent = self.scope.get("user")
        await self.accept()
        if not isinstance(agent, Agent) or not agent.is_active:
            await self.close(SIGNED_OUT)
            return
        gave_second_step = demand.gave_second_factor(agent, self.scope["session"])
        if not gave_second_step and await in_database(demand.is_demanded_of)(agent):
            await self.close(NEEDS_SECOND_STEP)
            return
        try:
            query = parse_qs(self.scope["query_string"].decode("ascii", "replace"))
            view = PageView.parse_text(query.get("look", ["{}"])[0])
        except BadMessage:
            await self.close(MALFORMED)
            return
        hub = hub_of_this_loop()
        if len(hub.by_agent.get(agent.pk, ())) >= MAX_PAGES:
            await self.close(TOO_MANY_PAGES)
            return
        self._window, self._message_count = time.monotonic(), 0
        self.page = Page(
            agent_id=agent.pk,
            session_key=self.scope["session"].session_key or "",
            session_hash=agent.get_session_auth_hash(),
            gave_second_step=gave_second_step,
            send_frame=self._send_frame,
            close_socket=self._close_with,
            name=agent.display_name,
            short_name=agent.short_name,
        )
        await hub.add_page(self.page, view)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.page is None:
            return
        if text_data is None or len(text_data) > MAX_BYTES:
            await self._close_with(MALFORMED if text_data is None else TOO_BIG)
            return
        if self._exceeds_rate():
            await self._close_with(TOO_MANY)
            return
        try:
            await self._handle_message(self.page, text_data)
        except BadMessage:
            await self._close_with(MALFORMED)

    async def _handle_message(self, page: Page, text: str) -> None:
        """Take a change of view or a presence report. Raises BadMessage for anything else."""
        message, hub = parse_json(text), hub_of_this_loop()
        if isinstance(message, dict) and "here" in message:
            hub.presence.record_report(page, PresenceReport.parse(message["here"]))
        elif isinstance(message, dict) and "gone" in message:
            hub.presence.end_lease(page)
        else:
            await hub.change_view(page, PageView.parse(message))

    async def __call__(self, *args: Any) -> None:
        """Remove the page however the connection ends, also when the handler is cancelled."""
        try:
            await super().__call__(*args)
        finally:
            await self._leave_hub()

    def _exceeds_rate(self) -> bool:
        now = time.monotonic()
        if now - self._window > WINDOW:
            self._window, self._message_count = now, 0
        self._message_count += 1
        return self._message_count > MAX_PER_WINDOW

    async def _send_frame(self, frame: Frame) -> None:
        if self.page is not None:
            await self.send(text_data=frame)

    async def _close_with(self, code: int) -> None:
        """Close the socket, in a task of its own: leaving the hub may end the one that asks."""
        if self.page is not None:
            self._closing = asyncio.create_task(self._leave_and_close(code))
            await asyncio.shield(self._closing)

    async def _leave_and_close(self, code: int) -> None:
        """Leave the hub first, so that nothing follows the code."""
        await self._leave_hub()
        await self.close(code)

    async def _leave_hub(self) -> None:
        page, self.page = self.page, None
        if page is not None:
            await hub_of_this_loop().remove_page(page)
