"""Write the lines of what happened to a connection."""

from __future__ import annotations

from datetime import datetime

from inboxes.models import Agent
from messaging.models import ConnectionEvent, NumberConnection


def note_event(
    connection: NumberConnection,
    kind: ConnectionEvent.Kind,
    *,
    at: datetime,
    agent: Agent | None = None,
    words: str = "",
) -> None:
    """Add a line, in the transaction of what happened. `words` name no address beyond its host."""
    ConnectionEvent.objects.create(
        connection=connection, kind=kind, at=at, agent=agent, words=words[:255]
    )
