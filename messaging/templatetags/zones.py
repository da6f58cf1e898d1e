from __future__ import annotations

from django import template

register = template.Library()


@register.filter
def zone_words(name: object) -> str:
    """Return a time zone in words: "New York time" for America/New_York."""
    city = str(name).rpartition("/")[2].replace("_", " ")
    return f"{city} time"
