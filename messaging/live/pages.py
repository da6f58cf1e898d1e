"""What a page shows and how far it has come, in the page's own words."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal, TypeGuard

from threads.models import Choice
from threads.presence import Person

Frame = str
ListShown = Literal["top"] | int | None

MAX_SEQS = 2_000


class BadLook(ValueError):
    """A page said something that is no `look`."""


@dataclass(frozen=True, slots=True)
class Look:
    """The list and the thread that a page shows, and the counters that they were read at.

    `only` is what the list is narrowed to, a Choice or "".
    Keys of `seqs`: `i3` what the top list shows of inbox 3, `l3` the rows of inbox 3's own list,
    `t45` the history of thread 45, `a2` what is agent 2's alone.
    """

    list: ListShown = None
    thread: int | None = None
    seqs: dict[str, int] = field(default_factory=dict)
    only: str = ""

    @classmethod
    def parse(cls, data: object) -> Look:
        """From what the page sent; raises BadLook."""
        if not isinstance(data, dict):
            raise BadLook
        shown, thread, seqs = data.get("list"), data.get("thread"), data.get("seqs", {})
        if not (shown is None or shown == "top" or is_key(shown)):
            raise BadLook
        if not (thread is None or is_key(thread)):
            raise BadLook
        only = data.get("only", "")
        if not (only == "" or (isinstance(only, str) and only in Choice.values)):
            raise BadLook
        if not isinstance(seqs, dict) or len(seqs) > MAX_SEQS:
            raise BadLook
        if not all(isinstance(k, str) and len(k) < 24 and is_key(v) for k, v in seqs.items()):
            raise BadLook
        return cls(list=shown, thread=thread, seqs=seqs, only=only)

    @classmethod
    def parse_text(cls, text: str) -> Look:
        return cls.parse(read(text))


def read(text: str) -> object:
    """The JSON that a page said; raises BadLook."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadLook from error


def is_key(value: object) -> TypeGuard[int]:
    """Whether it can be the key of a row."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


@dataclass(eq=False, slots=True)
class Page:
    """One open socket. `inboxes` is what its agent may see, as last read from the database;
    `known_people` and `known_marks` are who it was told to be where (a thread, a list)."""

    agent_id: int
    session_key: str
    session_hash: str
    send: Callable[[Frame], Awaitable[None]]
    close: Callable[[int], Awaitable[None]]
    look: Look = field(default_factory=Look)
    thread_inbox: int | None = None
    inboxes: set[int] = field(default_factory=set)
    is_catching_up: bool = False
    name: str = ""
    short_name: str = ""
    known_people: tuple[int, tuple[Person, ...]] = (0, ())
    known_marks: tuple[ListShown, dict[int, str]] = field(default=(None, {}))

    def thread_in(self, inbox_id: int) -> int | None:
        """The thread that the page shows, if it is one of that inbox."""
        return self.look.thread if self.thread_inbox == inbox_id else None

    def shows(self, inbox_id: int) -> bool:
        """Whether the page stands inside the inbox."""
        return self.look.list == inbox_id or self.thread_inbox == inbox_id


@dataclass(frozen=True, slots=True)
class Target:
    """A page at the moment of a burst. Without counters while it catches up: its map then
    moves by the catch-up's frames alone, so that a cut in between loses nothing."""

    page: Page
    agent_id: int
    list: ListShown
    thread: int | None
    with_seqs: bool
    only: str = ""

    @classmethod
    def of(cls, page: Page, inbox_id: int, *, with_seqs: bool) -> Target:
        look, thread = page.look, page.thread_in(inbox_id)
        return cls(page, page.agent_id, look.list, thread, with_seqs, look.only)


def frame(
    *,
    seqs: dict[str, int] | None = None,
    rows: str = "",
    gone: list[str] | None = None,
    go: str = "",
    **parts: object,
) -> Frame:
    """A message to the page: rows to place, ids to take away, a place to go, counters reached.

    Further parts reach the page's modules as events of their name.
    """
    named = {"seqs": seqs, "rows": rows, "gone": gone, "go": go}
    return json.dumps({name: part for name, part in named.items() if part} | parts)


BEAT: Frame = json.dumps({"beat": 1})
