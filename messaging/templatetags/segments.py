"""Count segments for the composer's template."""

from __future__ import annotations

from django import template

from messaging.stream.segments import Segments, count_segments

register = template.Library()


@register.filter
def segments(text: str) -> Segments:
    return count_segments(text)
