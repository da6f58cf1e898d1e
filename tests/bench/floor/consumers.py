from __future__ import annotations

from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer

GROUP = "floor"


class Echo(AsyncWebsocketConsumer):
    """Send each text to all sockets: the least that a group of Channels can do."""

    async def connect(self) -> None:
        await self.channel_layer.group_add(GROUP, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(GROUP, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await self.channel_layer.group_send(GROUP, {"type": "floor.text", "text": text_data})

    async def floor_text(self, event: dict[str, Any]) -> None:
        await self.send(text_data=event["text"])
