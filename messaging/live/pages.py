"""Pages: what each one shows, which counters it has reached, and what it may say."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal, TypeGuard

from messaging.live.frames import Frame
from threads.cursors import Cursor
from threads.filters import ThreadFilter, parse_token
from threads.presence import Person

log = logging.getLogger(__name__)

ListShown = Literal["top"] | int | None

MAX_SEQS = 2_000
LONGEST_TOKEN = 400

# Close codes; the last one, of RFC 6455, says that the server is at fault.
SIGNED_OUT = 4401
NEEDS_SECOND_STEP = 4402
REMOVED = 4403
BROKEN = 1011


class BadMessage(ValueError):
    """Raised for a message of a page that is not part of the protocol."""


@dataclass(frozen=True, slots=True)
class PageView:
    """Hold the list and the thread that a page shows, and the counters at which it read them.

    `only` is what the list is narrowed to, as the token of a filter. `until` is its last loaded
    row, None if there are no further ones. The keys of `seqs`:
    `i3` is inbox 3 as a row of the top list, `l3` the rows of inbox 3's own list, `t45` the
    history of thread 45, `a2` what is agent 2's alone.
    """

    list: ListShown = None
    thread: int | None = None
    seqs: dict[str, int] = field(default_factory=dict)
    only: str = ""
    until: Cursor | None = None

    @classmethod
    def parse(cls, data: object) -> PageView:
        """Read what a page sent. Raises BadMessage."""
        if not isinstance(data, dict):
            raise BadMessage
        shown, thread, seqs = data.get("list"), data.get("thread"), data.get("seqs", {})
        if not (shown is None or shown == "top" or is_primary_key(shown)):
            raise BadMessage
        if not (thread is None or is_primary_key(thread)):
            raise BadMessage
        only = data.get("only", "")
        if not is_token(only):
            raise BadMessage
        if not isinstance(seqs, dict) or len(seqs) > MAX_SEQS:
            raise BadMessage
        if not all(
            isinstance(k, str) and len(k) < 24 and is_primary_key(v) for k, v in seqs.items()
        ):
            raise BadMessage
        until = _parse_until(data.get("until", ""))
        return cls(list=shown, thread=thread, seqs=seqs, only=only, until=until)

    @classmethod
    def parse_text(cls, text: str) -> PageView:
        return cls.parse(parse_json(text))


def _parse_until(key: object) -> Cursor | None:
    """Read the sort key of a row. Raises BadMessage."""
    if key == "":
        return None
    try:
        return Cursor.from_key(key if isinstance(key, str) and len(key) < 64 else "")
    except ValueError as error:
        raise BadMessage from error


def is_over_all(shown: ListShown, only: str) -> bool:
    """Return True for the top list that is narrowed, to threads of all inboxes."""
    return shown == "top" and bool(only)


def is_token(value: object) -> TypeGuard[str]:
    """Return True for the token of a filter."""
    try:
        parse_token(value if isinstance(value, str) and len(value) <= LONGEST_TOKEN else "?")
    except ValueError:
        return False
    return True


def parse_json(text: str) -> object:
    """Return the JSON that a page sent. Raises BadMessage."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadMessage from error


def is_primary_key(value: object) -> TypeGuard[int]:
    """Return True if the value can be the key of a row."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


@dataclass(eq=False, slots=True)
class Page:
    """Hold the state of one open socket.

    `inboxes` are those that its agent may see, as last read from the database. `known_people` and
    `known_row_presence` are the presence that the page was last sent, for its thread and for its
    list. `send_frame` hands one frame to the socket and `close_socket` closes it; both may raise
    anything.
    """

    agent_id: int
    session_key: str
    session_hash: str
    send_frame: Callable[[Frame], Awaitable[None]]
    close_socket: Callable[[int], Awaitable[None]]
    view: PageView = field(default_factory=PageView)
    thread_inbox: int | None = None
    inboxes: set[int] = field(default_factory=set)
    is_catching_up: bool = False
    is_closed: bool = False
    gave_second_step: bool = False
    name: str = ""
    short_name: str = ""
    known_people: tuple[int, tuple[Person, ...]] = (0, ())
    known_row_presence: tuple[ListShown, dict[int, str]] = field(default=(None, {}))

    async def send(self, *frames: Frame) -> None:
        """Send frames in order; close a page that cannot take one.

        Raises nothing, so that no other page is affected. The closed page reconnects with the
        counters that it has reached.
        """
        for one in frames:
            if self.is_closed:
                return
            try:
                await self.send_frame(one)
            except Exception as error:
                log.warning("A page of agent %s takes no frames: %r", self.agent_id, error)
                log.debug("The failure in full:", exc_info=True)
                await self.close(BROKEN)

    async def close(self, code: int) -> None:
        """Close the socket; nothing follows the code. Raises nothing."""
        self.is_closed = True
        try:
            await self.close_socket(code)
        except Exception as error:
            log.warning("A page of agent %s cannot be closed: %r", self.agent_id, error)
            log.debug("The failure in full:", exc_info=True)

    def thread_in(self, inbox_id: int) -> int | None:
        """Return the thread that the page shows, if it is one of that inbox."""
        return self.view.thread if self.thread_inbox == inbox_id else None

    def is_inside(self, inbox_id: int) -> bool:
        """Return True if the page shows the inbox's list or one of its threads."""
        return self.view.list == inbox_id or self.thread_inbox == inbox_id


@dataclass(frozen=True, slots=True)
class Target:
    """Hold what a page shows at the moment of a read.

    `with_seqs` is False while the page catches up: then only the frames of the catch-up move its
    counters, and a connection lost in between loses nothing.
    """

    page: Page
    agent_id: int
    list: ListShown
    thread: int | None
    with_seqs: bool
    only: str = ""
    until: Cursor | None = None

    @property
    def is_over_all(self) -> bool:
        """Return True if the page's list has threads of all of the agent's inboxes."""
        return is_over_all(self.list, self.only)

    @property
    def filter(self) -> ThreadFilter:
        """Return what the page's list is narrowed to."""
        return parse_token(self.only)

    def shows_list_of(self, inbox_id: int) -> bool:
        """Return True if the page's list has the inbox, or its threads."""
        return self.list in {"top", inbox_id}

    @classmethod
    def from_page(cls, page: Page, inbox_id: int, *, with_seqs: bool) -> Target:
        view, thread = page.view, page.thread_in(inbox_id)
        return cls(page, page.agent_id, view.list, thread, with_seqs, view.only, view.until)
