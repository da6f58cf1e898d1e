"""The words about segments that the composer is drawn with."""

from __future__ import annotations

from django import template

from messaging.stream.segments import Segments, count_segments

register = template.Library()


@register.filter
def segments(text: str) -> Segments:
    return count_segments(text)
