"""Read `history.txt`, the demo's messages with times relative to the day of seeding."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Literal

FILE = Path(__file__).with_name("history.txt")

_LINE = re.compile(r"(?P<when>\S+) (?P<author>[a-z]*)(?P<sign>[<>!])(?P<end>[x?]?) (?P<text>.+)")
_DAYS_AGO = re.compile(r"(\d+)d(\d\d):(\d\d)")


@dataclass(frozen=True, slots=True)
class Conversation:
    """The inbox and the contact of a thread; the contact first wrote `since` ago."""

    inbox: str
    address: str
    name: str
    note: str
    since: timedelta


@dataclass(frozen=True, slots=True)
class Line:
    """One message. `author` is a username, empty for the contact."""

    conversation: Conversation
    at: datetime
    kind: Literal["inbound", "outbound", "internal"]
    author: str
    state: Literal["", "delivered", "failed", "unknown"]
    text: str


def read_lines(now: datetime) -> list[Line]:
    """Return all messages, oldest first. The file's clock times are in the time zone of `now`."""
    return sorted(_parse_script(FILE.read_text(encoding="utf-8"), now), key=lambda line: line.at)


def _parse_script(script: str, now: datetime) -> Iterator[Line]:
    conversation: Conversation | None = None
    at = now
    for row in script.splitlines():
        if not row or row.startswith("#"):
            continue
        if row.startswith("@ "):
            inbox, address, name, days, *note = (part.strip() for part in row[2:].split("|"))
            since = timedelta(days=int(days))
            conversation = Conversation(inbox, address, name, "".join(note), since)
            continue
        match = _LINE.fullmatch(row)
        if match is None or conversation is None:
            raise ValueError(f"This row of {FILE.name} makes no sense: {row}")
        at = _parse_time(match["when"], now, at)
        yield _parse_line(conversation, at, match)


def _parse_line(conversation: Conversation, at: datetime, match: re.Match[str]) -> Line:
    author, sign, end, text = match.group("author", "sign", "end", "text")
    if sign == "<":
        return Line(conversation, at, "inbound", "", "", text)
    if sign == "!":
        return Line(conversation, at, "internal", author, "", text)
    if end == "x":
        return Line(conversation, at, "outbound", author, "failed", text)
    state: Literal["unknown", "delivered"] = "unknown" if end == "?" else "delivered"
    return Line(conversation, at, "outbound", author, state, text)


def _parse_time(when: str, now: datetime, before: datetime) -> datetime:
    if match := _DAYS_AGO.fullmatch(when):
        days, hour, minute = map(int, match.groups())
        day = (now - timedelta(days=days)).date()
        return datetime.combine(day, time(hour, minute), now.tzinfo)
    minutes = timedelta(minutes=int(when[1:]))
    return before + minutes if when.startswith("+") else now - minutes
