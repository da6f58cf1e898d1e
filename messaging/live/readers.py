"""Readers, one per inbox and one per agent: each reads and draws once for all pages of the
process."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from channels.db import DatabaseSyncToAsync
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, InterfaceError

from inboxes.models import Agent, Inbox
from messaging.live import reading
from messaging.live.drafts import draw_drafts
from messaging.live.frames import Fragment, Frame, Part, pack_frames, split_into_parts
from messaging.live.pages import ListShown, Page, Target, is_over_all
from messaging.live.rendering import (
    Renderer,
    counts_part,
    leave_out_unloaded,
    render_row,
)
from messaging.live.supervision import failures
from messaging.notifications import lists, words
from threads.cursors import Cursor
from threads.filters import ThreadFilter, parse_token
from threads.lists import PAGE_SIZE, read_walked
from threads.rows import build_inbox_row, build_thread_rows
from threads.unread import count_unread_threads
from threads.view_counts import count_views
from threads.walks import walk_threads

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")


# Few, because they draw in Python, and each that runs slows down the requests of its process.
_executor = ThreadPoolExecutor(max_workers=3, thread_name_prefix="live")


async def run_in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run queries off the event loop, in threads of our own.

    Readers must not wait for each other, nor for the jobs of a worker in the same process, whose
    calls to carriers may be slow.
    """
    result: R = await DatabaseSyncToAsync(function, thread_sensitive=False, executor=_executor)(
        *args, **kwargs
    )
    return result


class CoalescedTask:
    """Run work on request; requests during a run are coalesced into one more run."""

    def __init__(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._work = work
        self._is_wanted = False
        self._task: asyncio.Task[None] | None = None

    def request_run(self) -> None:
        self._is_wanted = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while self._is_wanted:
            self._is_wanted = False
            try:
                await self._work()
            except (DatabaseError, InterfaceError, ObjectDoesNotExist) as error:
                # The counter that was reached does not move: the next run reads on from it.
                log.warning("A read for open pages failed: %s", type(error).__name__)
            except Exception:
                failures["reading for open pages"] += 1
                log.exception("A read for open pages failed")


def draw_changes(
    inbox_id: int, since: int, targets: list[Target]
) -> tuple[int, bool, list[list[Frame]]]:
    """Read once for all pages: return the counter reached, whether more waits, and each target's
    frames."""
    changes = reading.read_changes(
        inbox_id,
        rows_since=since,
        messages_since=since,
        open_threads={target.thread for target in targets if target.thread is not None},
        agent_ids={target.agent_id for target in targets},
        counting_ids={
            target.agent_id
            for target in targets
            if target.list == "top" and not target.is_over_all
        },
        listing_ids={t.agent_id for t in targets if t.shows_list_of(inbox_id)},
        notifications_since=since,
    )
    renderer = Renderer(changes)
    return changes.upto, changes.is_more, [renderer.frames_for(target) for target in targets]


@dataclass(frozen=True, slots=True)
class PageCounters:
    """Hold the counters of one inbox at which a page has its rows and its open thread.

    None for what the page does not show.
    """

    rows_since: int | None
    messages_since: int | None

    @classmethod
    def from_seqs(cls, inbox_id: int, target: Target, seqs: dict[str, int]) -> PageCounters:
        list_key = f"i{inbox_id}" if target.list == "top" else f"l{inbox_id}"
        return cls(seqs.get(list_key), seqs.get(f"t{target.thread}"))

    def advanced_to(self, upto: int) -> PageCounters:
        return PageCounters(
            None if self.rows_since is None else upto,
            None if self.messages_since is None else upto,
        )


def draw_missed(
    inbox_id: int, target: Target, missed: PageCounters
) -> tuple[list[Frame], PageCounters | None]:
    """Draw one step of what a page missed of an inbox; return the next step's start, None at the
    end.

    Each step ends with its counters, so that a page whose connection breaks resumes there.
    """
    changes = reading.read_changes(
        inbox_id,
        rows_since=missed.rows_since,
        messages_since=missed.messages_since,
        open_threads=set() if target.thread is None else {target.thread},
        agent_ids={target.agent_id},
        counting_ids={target.agent_id} if target.list == "top" else set(),
        listing_ids={target.agent_id} if target.shows_list_of(inbox_id) else set(),
    )
    frames = Renderer(changes).frames_for(target)
    is_last = not frames or not changes.is_more
    return frames, None if is_last else missed.advanced_to(changes.upto)


# The list that a page shows, what it is narrowed to, its last loaded row, and whether counters may
# move, which they do not while the page catches up.
ListVariant = tuple[ListShown, str, Cursor | None, bool]


def draw_personal(
    access: reading.AgentInboxes, since: int, variants: Iterable[ListVariant]
) -> tuple[int, dict[ListVariant, list[Frame]]]:
    """Draw what changed for one agent alone, once for each list variant that their pages show."""
    agent = access.agent
    threads, states, upto = reading.read_states(agent, since)
    touched = {thread.inbox_id for thread in threads} | reading.read_new_memberships(agent, since)
    changed = [inbox for inbox in access.inboxes.values() if inbox.pk in touched]
    shared = [inbox for inbox in changed if not inbox.is_personal]
    counts = dict(zip([inbox.pk for inbox in changed], draw_counts(agent, changed), strict=True))
    hidden = {
        thread.pk: states[thread.pk].hidden_upto(thread.last_message_id, thread.last_text_id)
        for thread in threads
    }
    parts = [
        ("notices", {"unread": lists.unread_counts([agent.pk])[agent.pk], "new": []}),
        ("muted", {state.thread_id: state.is_muted for state in states.values()}),
        ("hidden", hidden),
        *split_into_parts("drafts", draw_drafts(agent, states.values())),
    ]
    inboxes: list[Fragment] | None = None
    frames: dict[ListVariant, list[Frame]] = {}
    for shown, only, until, with_seqs in variants:
        over_all = is_over_all(shown, only)
        here = [
            thread
            for thread in threads
            if over_all or shown == ("top" if thread.inbox.is_personal else thread.inbox_id)
        ]
        here = list(leave_out_unloaded(here, until))
        built = build_thread_rows(agent, here, parse_token(only), states, is_over_all=over_all)
        rows = [render_row(row) for row in built]
        if shown == "top" and not over_all:
            inboxes = draw_inbox_rows(agent, shared) if inboxes is None else inboxes
            rows += inboxes
        counted = [part for key, part in counts.items() if shown in {"top", key}]
        seqs = {f"a{agent.pk}": upto} if with_seqs else None
        frames[shown, only, until, with_seqs] = pack_frames(
            parts=[*parts, *counted], rows=rows, seqs=seqs
        )
    return upto, frames


def draw_recent_notifications(agent_id: int) -> list[Frame]:
    """Draw the unread count and the recent notifications for a page that has just connected."""
    unread, recent = lists.unread_and_recent(agent_id)
    new = [words.popup_content(one) for one in recent]
    return pack_frames(
        parts=split_into_parts("notices", new, before=f'{{"unread":{unread},"new":[', after="]}")
    )


def draw_new_inboxes(
    agent: Agent, inboxes: list[Inbox], shown: ThreadFilter
) -> tuple[list[Part], list[Fragment]]:
    """Draw what the agent's top list, narrowed or not, shows of inboxes that are new to it."""
    parts = draw_counts(agent, inboxes)
    if not shown:
        return parts, draw_inbox_rows(agent, [one for one in inboxes if not one.is_personal])
    walk = walk_threads(agent, inboxes, shown, count=PAGE_SIZE)
    rows = build_thread_rows(agent, read_walked(walk), shown, is_over_all=True)
    return parts, [render_row(row) for row in rows]


def draw_counts(agent: Agent, inboxes: Collection[Inbox]) -> list[Part]:
    """Return what stands beside the views, for each of the inboxes; one query."""
    counted = count_views([agent.pk], inboxes)
    return [counts_part(inbox, agent, counted[agent.pk, inbox.pk]) for inbox in inboxes]


def draw_inbox_rows(agent: Agent, inboxes: list[Inbox]) -> list[Fragment]:
    unread = count_unread_threads([agent.pk], inboxes)
    return [
        render_row(build_inbox_row(inbox, agent, unread.get((agent.pk, inbox.pk), 0)))
        for inbox in inboxes
    ]


# After each read a reader rests REST_FACTOR times as long as it worked, and MAX_REST seconds at
# most: under load several texts share one read, and most of the time is left to everything else. A
# text that comes after a silence waits for nothing.
REST_FACTOR = 2.0
MAX_REST = 0.2


class InboxReader:
    """Read one inbox after a bell, once for all pages of this process."""

    def __init__(self, inbox_id: int, seq: int, pages: set[Page]) -> None:
        self.inbox_id = inbox_id
        self.seq = seq
        self.pages = pages
        self.task = CoalescedTask(self._read)

    async def _read(self) -> None:
        is_more = True
        while is_more and self.pages:
            begun = time.monotonic()
            targets = [
                Target.from_page(page, self.inbox_id, with_seqs=not page.is_catching_up)
                for page in self.pages
            ]
            self.seq, is_more, frames = await run_in_thread(
                draw_changes, self.inbox_id, self.seq, targets
            )
            for target, drawn in zip(targets, frames, strict=True):
                await target.page.send(*drawn)
            await asyncio.sleep(min(MAX_REST, REST_FACTOR * (time.monotonic() - begun)))
