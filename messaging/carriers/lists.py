"""Lists inside carriers' JSON, read strictly. Raises Unparsable as `webhooks` does."""

from __future__ import annotations

from collections.abc import Mapping

from messaging.carriers.base import Unparsable
from messaging.carriers.webhooks import mapping


def items(label: str, value: object) -> list[object]:
    """`value` as a list; null is an empty one."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise Unparsable(f"{label} is not a list")
    return value


def objects(label: str, value: object) -> list[Mapping[str, object]]:
    """`value` as a list of JSON objects; null is an empty one."""
    return [mapping(f"one of {label}", item) for item in items(label, value)]
