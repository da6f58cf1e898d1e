"""Count the segments of the texts that an inbox sends by itself, in its form."""

from __future__ import annotations

from inboxes.hours.forms import TextWidget
from messaging.stream.segments import count_segments


def describe_size(text: str) -> str:
    """Return how many segments a text takes; "" for an empty one."""
    return count_segments(text).size if text else ""


TextWidget.describe = staticmethod(describe_size)
