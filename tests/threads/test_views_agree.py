"""Views, their rows and their counts agree with a slow look at every thread."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from inboxes.models import Agent, Inbox
from messaging.models import Message, ScheduledText
from tests.cast import Cast
from tests.threads.work_deeds import DEEDS, WorkDeeds
from threads import walks
from threads.cursors import Cursor
from threads.filters import EVERYTHING, ThreadFilter, ThreadView, parse_token
from threads.lists import Listing, list_of
from threads.models import Thread, ThreadState
from threads.walks import walk_threads

pytestmark = pytest.mark.django_db

COMBINATIONS = [
    ["open", "urgent"],
    ["mine", "unread"],
    ["mine", "done"],
    ["mine", "unassigned"],
    ["unassigned", "snoozed"],
    ["reply", "urgent", "low"],
    ["done", "snoozed"],
    ["failed", "done"],
    ["reply", "done"],
    ["scheduled", "unread"],
    ["open", "done", "urgent"],
    ["blocked", "unread"],
    ["blocked", "mine"],
    ["blocked", "failed"],
    ["blocked", "done"],
    ["blocked", "reply"],
    ["blocked", "low"],
]
SINGLE = ThreadView.values
PRIORITIES = ["urgent", "low"]
DEED = st.tuples(st.sampled_from(DEEDS), st.integers(0, 41))


def filters(labels: list[int]) -> list[ThreadFilter]:
    named = [ThreadFilter.of(names) for names in [*([one] for one in SINGLE), *COMBINATIONS]]
    by_priority = [ThreadFilter.of([one]) for one in PRIORITIES] + [ThreadFilter.of(PRIORITIES)]
    by_label = [ThreadFilter.of([], [key]) for key in labels] + [ThreadFilter.of([], labels)]
    both = [ThreadFilter.of(["open"], labels[:1]), ThreadFilter.of(["unread", "low"], labels)]
    return [EVERYTHING, *named, *by_priority, *by_label, *both]


def read_facts(agent: Agent) -> list[tuple[Thread, set[str]]]:
    """Return every thread, with what it is to the agent, from the oldest to the newest."""
    found = []
    for thread in Thread.objects.select_related("contact").order_by("last_at", "pk"):
        state = ThreadState.objects.filter(agent=agent, thread=thread).first()
        last = Message.objects.filter(thread=thread).latest("pk")
        hidden_up_to, read_up_to = (state.hidden_id, state.last_read_id) if state else (0, 0)
        texts = thread.messages.exclude(kind="internal").filter(pk__gt=hidden_up_to)
        is_news = last.author_id != agent.pk and last.pk > read_up_to
        facts = {
            "hidden": hidden_up_to > 0 and not texts.exists(),
            "mine": thread.assignee_id == agent.pk,
            "unassigned": thread.assignee_id is None,
            "reply": thread.needs_reply and thread.status == "open",
            "unread": (state is not None and state.is_marked_unread)
            or (is_news and thread.contact.blocked_at is None),
            "failed": thread.messages.exclude(unseen_failure="").exists(),
            "scheduled": ScheduledText.objects.pending().filter(thread=thread).exists(),
        }
        assert (thread.status == "blocked") == (thread.contact.blocked_at is not None)
        named = {name for name, is_so in facts.items() if is_so}
        found.append((thread, named | {thread.status, thread.priority}))
    return found


def belongs(thread: Thread, facts: set[str], wanted: ThreadFilter) -> bool:
    """Say in plain words whether a thread belongs to a list."""
    names = {*wanted.names}
    if "hidden" in facts and "failed" not in names:
        return False
    statuses = names & {"open", "snoozed", "done", "blocked"}
    if "blocked" in facts and "blocked" not in names:
        return False
    whose = names & {"mine", "unassigned"}
    if whose and not statuses:
        statuses = {"open"}
    priorities = names & {"urgent", "high", "medium", "low"}
    return (
        all(not group or bool(group & facts) for group in (statuses, whose, priorities))
        and names & {"reply", "unread", "failed", "scheduled"} <= facts
        and (not wanted.labels or bool({*wanted.labels} & {*thread.label_ids}))
    )


def walk_to_the_end(agent: Agent, inboxes: Sequence[Inbox], wanted: ThreadFilter) -> list[int]:
    """Walk page by page, and on where a window ended."""
    found: list[int] = []
    after: Cursor | None = None
    while True:
        walk = walk_threads(agent, inboxes, wanted, count=3, after=after)
        found += walk.keys
        if len(walk.keys) == 3:
            last = Thread.objects.get(pk=walk.keys[-1])
            assert last.last_at is not None
            after = Cursor(last.last_at, last.pk)
        elif walk.resume is not None:
            after = walk.resume
        else:
            return found


def assert_all_agree(agent: Agent, inboxes: list[Inbox], wanted: list[ThreadFilter]) -> None:
    facts = [one for one in read_facts(agent) if one[0].inbox_id in {i.pk for i in inboxes}]
    views = {
        one.token: [thread.pk for thread, its in reversed(facts) if belongs(thread, its, one)]
        for one in wanted
    }
    for token, expected in views.items():
        assert walk_to_the_end(agent, inboxes, parse_token(token)) == expected, token
    listing = list_of(agent, inboxes[0] if len(inboxes) == 1 else None)
    counted = {link.key: link.count for link in listing.views if link.is_counted}
    assert counted == {key: len(views[key]) for key in ("reply", "mine", "failed")}
    for token in ("mine", "unread", "open-urgent"):
        assert_rows_belong(list_of(agent, inboxes[0], shown=parse_token(token)))


def assert_rows_belong(listing: Listing) -> None:
    assert [row for row in listing.rows if row.is_gone] == []


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(deeds=st.lists(DEED, min_size=20, max_size=45))
def test_after_any_deeds_views_and_counts_agree_with_a_slow_look(
    cast: Cast, deeds: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walks, "WINDOW", 4)
    monkeypatch.setattr(walks, "SMALLEST_WINDOW", 2)
    monkeypatch.setattr(walks, "FIRST_WINDOW", 3)
    with transaction.atomic():
        doing = WorkDeeds(cast)
        for index in range(9):
            doing.text_in(index)
        for deed, which in deeds:
            doing.do(deed, which)
        labels = [label.pk for there in doing.labels.values() for label in there]
        wanted, inboxes = filters(labels), list(Inbox.objects.shared().order_by("pk"))
        assert_all_agree(cast.ana, inboxes, wanted)
        assert_all_agree(cast.ben, inboxes[:1], wanted)
        transaction.set_rollback(True)
