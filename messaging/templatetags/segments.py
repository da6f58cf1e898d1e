"""The words about segments that the composer is drawn with."""

from __future__ import annotations

from django import template

from messaging.stream.segments import Segments, segments_of

register = template.Library()


@register.filter
def segments(text: str) -> Segments:
    return segments_of(text)
