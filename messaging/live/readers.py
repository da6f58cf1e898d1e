"""The readers: one per process and inbox, one per process and agent. Bursts collapse in them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from channels.db import DatabaseSyncToAsync
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, InterfaceError

from inboxes.models import Agent, Inbox
from messaging.live import reading
from messaging.live.drafts import draw_drafts
from messaging.live.frames import Fragment, Frame, pack, spread
from messaging.live.pages import ListShown, Page, Target
from messaging.live.rendering import Renderer, render_row
from messaging.live.supervision import failures
from messaging.notifications import lists
from threads.models import Thread, ThreadState
from threads.rows import build_inbox_row, build_thread_rows
from threads.unread import count_unread_threads

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")


_threads = ThreadPoolExecutor(max_workers=3, thread_name_prefix="live")
"""Few: they draw in Python, and each that runs makes the requests of its process wait."""


async def in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run queries off the event loop: readers must not wait for each other, nor for the jobs of
    a worker in the same process, whose carriers may take their time."""
    result: R = await DatabaseSyncToAsync(function, thread_sensitive=False, executor=_threads)(
        *args, **kwargs
    )
    return result


class Burst:
    """Runs work when woken; wakes during a run collapse into one more run."""

    def __init__(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._work = work
        self._is_wanted = False
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        self._is_wanted = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while self._is_wanted:
            self._is_wanted = False
            try:
                await self._work()
            except (DatabaseError, InterfaceError, ObjectDoesNotExist) as error:
                # The counter that was reached stays where it is: the next wake reads on from it.
                log.warning("A read for open pages failed: %s", type(error).__name__)
            except Exception:
                failures["reading for open pages"] += 1
                log.exception("A read for open pages failed")


def draw_for(
    inbox_id: int, since: int, targets: list[Target]
) -> tuple[int, bool, list[list[Frame]]]:
    """One read for all pages: the counter reached, whether more waits, frames for each target."""
    changes = reading.read_changes(
        inbox_id,
        rows_since=since,
        messages_since=since,
        open_threads={target.thread for target in targets if target.thread is not None},
        agent_ids={target.agent_id for target in targets},
        counting_ids={target.agent_id for target in targets if target.list == "top"},
        notices_since=since,
    )
    renderer = Renderer(changes)
    return changes.upto, changes.is_more, [renderer.frames_for(target) for target in targets]


@dataclass(frozen=True, slots=True)
class Missed:
    """The counters of one inbox up to which a page has its rows and its open thread; None for
    what it does not show."""

    rows_since: int | None
    messages_since: int | None

    @classmethod
    def of(cls, inbox_id: int, target: Target, seqs: dict[str, int]) -> Missed:
        list_key = f"i{inbox_id}" if target.list == "top" else f"l{inbox_id}"
        return cls(seqs.get(list_key), seqs.get(f"t{target.thread}"))

    def at(self, upto: int) -> Missed:
        return Missed(
            None if self.rows_since is None else upto,
            None if self.messages_since is None else upto,
        )


def draw_missed(
    inbox_id: int, target: Target, missed: Missed
) -> tuple[list[Frame], Missed | None]:
    """One step of what a page missed of an inbox, and where the next one begins; None at the end.

    Each step ends with its counters, so that a page whose line breaks in between goes on there.
    """
    changes = reading.read_changes(
        inbox_id,
        rows_since=missed.rows_since,
        messages_since=missed.messages_since,
        open_threads=set() if target.thread is None else {target.thread},
        agent_ids={target.agent_id},
        counting_ids={target.agent_id} if target.list == "top" else set(),
    )
    frames = Renderer(changes).frames_for(target)
    is_last = not frames or not changes.is_more
    return frames, None if is_last else missed.at(changes.upto)


View = tuple[ListShown, str, bool]
"""The list that a page shows, what it is narrowed to, and whether counters may move: not while it
catches up."""


def draw_personal(
    standing: reading.Standing, since: int, views: Iterable[View]
) -> tuple[int, dict[View, list[Frame]]]:
    """What changed for one agent alone, drawn for each view that their pages have."""
    agent = standing.agent
    threads, states, upto = reading.read_states(agent, since)
    touched = {thread.inbox_id for thread in threads} | reading.read_new_seats(agent, since)
    shared = [i for i in standing.inboxes.values() if i.pk in touched and not i.is_personal]
    hidden = {thread.pk: _hidden_id(thread, states[thread.pk]) for thread in threads}
    parts = [
        ("notices", {"unread": lists.unread_counts([agent.pk])[agent.pk], "new": []}),
        ("muted", {state.thread_id: state.is_muted for state in states.values()}),
        ("hidden", hidden),
        *spread("drafts", draw_drafts(agent, states.values())),
    ]
    inboxes: list[Fragment] | None = None
    frames: dict[View, list[Frame]] = {}
    for shown, only, with_seqs in views:
        here = [
            thread
            for thread in threads
            if shown == ("top" if thread.inbox.is_personal else thread.inbox_id)
        ]
        rows = [render_row(row) for row in build_thread_rows(agent, here, only, states)]
        if shown == "top":
            inboxes = draw_inboxes(agent, shared) if inboxes is None else inboxes
            rows += inboxes
        seqs = {f"a{agent.pk}": upto} if with_seqs else None
        frames[shown, only, with_seqs] = pack(parts=parts, rows=rows, seqs=seqs)
    return upto, frames


def _hidden_id(thread: Thread, state: ThreadState) -> int:
    """For the page that has the thread open: it goes back to the list when this changes."""
    return state.hidden_id if state.hides(thread.last_text_id) else 0


def draw_notices(agent_id: int) -> list[Frame]:
    """The bell of a page that has just connected, and what it may have missed of late."""
    unread, recent = lists.standing(agent_id)
    new = [lists.popup(one) for one in recent]
    return pack(parts=spread("notices", new, before=f'{{"unread":{unread},"new":[', after="]}"))


def draw_inboxes(agent: Agent, inboxes: list[Inbox]) -> list[Fragment]:
    unread = count_unread_threads([agent.pk], inboxes)
    return [
        render_row(build_inbox_row(inbox, agent, unread.get((agent.pk, inbox.pk), 0)))
        for inbox in inboxes
    ]


REST = 2.0
MOST_REST = 0.2
"""After each read a reader rests REST times as long as it worked, and MOST_REST seconds at most:
under load several texts share one read, and most of the time is left to everybody else. A text
that comes after a silence waits for nothing."""


class InboxReader:
    """Answers the bells of one inbox once for all pages that are open here."""

    def __init__(self, inbox_id: int, seq: int, pages: set[Page]) -> None:
        self.inbox_id = inbox_id
        self.seq = seq
        self.pages = pages
        self.burst = Burst(self._read)

    async def _read(self) -> None:
        is_more = True
        while is_more and self.pages:
            begun = time.monotonic()
            targets = [
                Target.of(page, self.inbox_id, with_seqs=not page.is_catching_up)
                for page in self.pages
            ]
            self.seq, is_more, frames = await in_thread(draw_for, self.inbox_id, self.seq, targets)
            for target, drawn in zip(targets, frames, strict=True):
                await target.page.send(*drawn)
            await asyncio.sleep(min(MOST_REST, REST * (time.monotonic() - begun)))
