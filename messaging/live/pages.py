"""What a page shows and how far it has come, in the page's own words."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal, TypeGuard

from messaging.live.frames import Frame
from threads.models import Choice
from threads.presence import Person

log = logging.getLogger(__name__)

ListShown = Literal["top"] | int | None

MAX_SEQS = 2_000

SIGNED_OUT = 4401
REMOVED = 4403
BROKEN = 1011
"""Close codes; the last one, of RFC 6455, says that the server is at fault."""


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
    `known_people` and `known_marks` are who it was told to be where (a thread, a list).

    `deliver` hands one frame to the socket, and `hang_up` closes it; both may raise anything.
    """

    agent_id: int
    session_key: str
    session_hash: str
    deliver: Callable[[Frame], Awaitable[None]]
    hang_up: Callable[[int], Awaitable[None]]
    look: Look = field(default_factory=Look)
    thread_inbox: int | None = None
    inboxes: set[int] = field(default_factory=set)
    is_catching_up: bool = False
    is_over: bool = False
    name: str = ""
    short_name: str = ""
    known_people: tuple[int, tuple[Person, ...]] = (0, ())
    known_marks: tuple[ListShown, dict[int, str]] = field(default=(None, {}))

    async def send(self, *frames: Frame) -> None:
        """Send frames in order. A page that cannot take one is closed and raises nothing: it comes
        back with the counters that it has reached, and no other page is affected."""
        for one in frames:
            if self.is_over:
                return
            try:
                await self.deliver(one)
            except Exception as error:
                log.warning("A page of agent %s cannot be told: %r", self.agent_id, error)
                log.debug("how it failed", exc_info=True)
                await self.close(BROKEN)

    async def close(self, code: int) -> None:
        """Close the socket; nothing follows the code. Raises nothing."""
        self.is_over = True
        try:
            await self.hang_up(code)
        except Exception as error:
            log.warning("A page of agent %s cannot be closed: %r", self.agent_id, error)
            log.debug("how it failed", exc_info=True)

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
