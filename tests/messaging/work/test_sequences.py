"""Deeds and texts in any sequence leave what a slow and obvious model has."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from django.db import transaction
from django.http import Http404
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inboxes.actions import add_member, remove_member
from inboxes.models import Agent
from messaging.models import Message
from messaging.work import deeds, waking
from tests.cast import Cast
from tests.clock import Clock
from tests.messaging.work.test_incoming_texts import tapback_in
from threads.assignment import NotAMember
from threads.changes import Change
from threads.models import Activity, Thread

pytestmark = pytest.mark.django_db

SENDERS = ["+12025550201", "+12025550202"]
DEEDS = [
    "assign", "assign", "unassign", "done", "done_unseen", "snooze", "reopen", "text_in",
    "text_in", "answer", "note", "tapback", "hours_pass", "leave", "come_back", "undo",
]  # fmt: skip
DEED = st.tuples(st.sampled_from(DEEDS), st.integers(0, 5))
HOUR = timedelta(hours=1)


@dataclass
class Model:
    """Hold what one thread has to be."""

    thread: Thread
    status: str = "open"
    until: datetime | None = None
    assignee: int | None = None
    waiting: list[datetime] = field(default_factory=list)  # texts that nobody has answered

    def open_by_text(self, at: datetime) -> None:
        if self.status != "open":
            self.waiting.clear()
        self.status, self.until = "open", None
        self.waiting.append(at)

    def state(self) -> dict[str, object]:
        return {"status": self.status, "until": self.until, "assignee": self.assignee}


class Sequence:
    """Do each deed to the program and to the model."""

    def __init__(self, cast: Cast, clock: Clock) -> None:
        self.cast, self.clock = cast, clock
        self.ids = itertools.count(1)
        self.models: list[Model] = []
        for sender in SENDERS:
            thread = cast.thread(sender=sender)
            self.models.append(Model(thread, waiting=[thread.messages.get().created_at]))
        self.undoable: list[Change] = []

    def members(self) -> set[int]:
        return set(self.cast.front_desk.memberships.values_list("agent", flat=True))

    def do(self, deed: str, which: int) -> None:
        self.clock.advance(timedelta(seconds=1))
        model = self.models[which % 2]
        try:
            getattr(self, deed)(model, [self.cast.ana, self.cast.ben, self.cast.cho][which % 3])
        except Http404:
            assert not self.members() >= {self.cast.ana.pk, self.cast.ben.pk, self.cast.cho.pk}

    def assign(self, model: Model, agent: Agent) -> None:
        key = model.thread.pk
        try:
            self.undoable = deeds.assign_threads(
                inbox_id=model.thread.inbox_id, thread_ids=[key], assignee=agent, by=self.cast.ana
            )
        except NotAMember:
            assert agent.pk not in self.members()
        else:
            assert agent.pk in self.members()
            model.assignee = agent.pk

    def unassign(self, model: Model, agent: Agent) -> None:
        self.undoable = deeds.assign_threads(
            inbox_id=model.thread.inbox_id,
            thread_ids=[model.thread.pk],
            assignee=None,
            by=agent,
        )
        model.assignee = None

    def newest(self, model: Model) -> int:
        return Message.objects.filter(thread=model.thread).latest("pk").pk

    def done(self, model: Model, agent: Agent) -> None:
        shown = {model.thread.pk: self.newest(model)}
        marked = deeds.mark_done(inbox_id=model.thread.inbox_id, shown=shown, by=agent)
        self.undoable = marked.changes
        model.status, model.until = "done", None

    def done_unseen(self, model: Model, agent: Agent) -> None:
        shown = {model.thread.pk: self.newest(model)}
        self.text_in(model, agent)
        marked = deeds.mark_done(inbox_id=model.thread.inbox_id, shown=shown, by=agent)
        assert marked.kept_open == [model.thread.pk]

    def snooze(self, model: Model, agent: Agent) -> None:
        until = timezone.now() + HOUR
        snoozed = deeds.snooze(
            inbox_id=model.thread.inbox_id,
            shown={model.thread.pk: self.newest(model)},
            until=until,
            by=agent,
        )
        self.undoable = snoozed.changes
        model.status, model.until = "snoozed", until

    def reopen(self, model: Model, agent: Agent) -> None:
        self.undoable = deeds.reopen(
            inbox_id=model.thread.inbox_id, thread_ids=[model.thread.pk], by=agent
        )
        model.status, model.until = "open", None

    def text_in(self, model: Model, agent: Agent) -> None:
        text = self.cast.text_in("Hello?", sender=model.thread.contact.address)
        model.open_by_text(text.created_at)

    def answer(self, model: Model, agent: Agent) -> None:
        self.cast.answer(model.thread, "Here we are", author=agent)
        model.waiting.clear()

    def note(self, model: Model, agent: Agent) -> None:
        self.cast.note(model.thread, "Between us", author=agent)

    def tapback(self, model: Model, agent: Agent) -> None:
        tapback_in(self.cast, model.thread, f"SM-tapback-{next(self.ids)}")

    def hours_pass(self, model: Model, agent: Agent) -> None:
        self.clock.advance(HOUR)
        waking.end_due_snoozes()
        for one in self.models:
            if one.until is not None and one.until <= timezone.now():
                one.status, one.until = "open", None

    def leave(self, model: Model, agent: Agent) -> None:
        remove_member(inbox=self.cast.front_desk, agent=agent, changed_by=None)
        for one in self.models:
            if one.assignee == agent.pk:
                one.assignee = None

    def come_back(self, model: Model, agent: Agent) -> None:
        add_member(inbox=self.cast.front_desk, agent=agent, changed_by=None)

    def undo(self, model: Model, agent: Agent) -> None:
        """Undo the last deed, which concerns one thread."""
        deeds.undo(inbox_id=self.cast.front_desk.pk, changes=self.undoable, by=self.cast.ana)
        for change in self.undoable:
            one = next(one for one in self.models if one.thread.pk == change.thread_id)
            after, before = change.after, change.before
            if "assignee" in after and one.assignee == after["assignee"]:
                one.assignee = before["assignee"] if before["assignee"] in self.members() else None
            until = one.until.isoformat() if one.until else None
            if "status" in after and (one.status, until) == (
                after["status"],
                after["snoozed_until"],
            ):
                text = before["snoozed_until"]
                moment = datetime.fromisoformat(text) if text else None
                is_over = moment is not None and moment <= timezone.now()
                one.status = "open" if is_over else before["status"]
                one.until = None if is_over else moment
        self.undoable = []

    def check(self) -> None:
        for model in self.models:
            row = Thread.objects.get(pk=model.thread.pk)
            assert {
                "status": row.status,
                "until": row.snoozed_until,
                "assignee": row.assignee_id,
            } == model.state()
            assert row.needs_reply == bool(model.waiting)
            assert row.waiting_since == (model.waiting[0] if model.waiting else None)
            assert replay(model.thread) == (row.status, row.assignee_id)
            assert row.assignee_id is None or row.assignee_id in self.members()


def replay(thread: Thread) -> tuple[str, int | None]:
    """Return the status and the assignee that the lines of the activity lead to."""
    status, assignee = "open", None
    for line in Activity.objects.filter(thread=thread).order_by("pk"):
        match line.kind:
            case "assigned":
                assignee = line.details["agent"]
            case "unassigned":
                assert line.details["agent"] == assignee
                assignee = None
            case "reopened" | "unsnoozed":
                assert status == ("done" if line.kind == "reopened" else "snoozed")
                status = "open"
            case "done" | "snoozed":
                status = line.kind
    return status, assignee


@pytest.fixture
def clock() -> Iterator[Clock]:
    """Return a clock that is set anew for each example."""
    with pytest.MonkeyPatch.context() as patch:
        yield Clock(patch)


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(steps=st.lists(DEED, min_size=8, max_size=30))
def test_after_any_sequence_everything_is_as_a_slow_model_has_it(
    cast: Cast, clock: Clock, steps: list[tuple[str, int]]
) -> None:
    with transaction.atomic():
        sequence = Sequence(cast, clock)
        for deed, which in steps:
            sequence.do(deed, which)
            sequence.check()
        transaction.set_rollback(True)
