"""The demo's history: complete, consistent, and written once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import Count, Max
from django.utils import timezone
from pytest_django import DjangoDbBlocker, Settings

from config.demo import history
from inboxes.hours.opening import Hours
from inboxes.models import Agent, Inbox, Membership
from messaging.models import Attempt, Message, Number, SavedReply
from messaging.replies.placeholders import find_unfilled
from tests.cast import client_of
from tests.markup import read_page
from threads.models import Activity, Thread

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def seeded_demo(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Seed once, because it takes seconds; each test's own changes are rolled back."""
    with django_db_blocker.unblock(), transaction.atomic():
        call_command("seed_demo", verbosity=0)
        yield
        transaction.set_rollback(True)


def test_it_refuses_outside_the_demo(settings: Settings) -> None:
    settings.DEMO = False
    with pytest.raises(CommandError, match="demo only"):
        call_command("seed_demo")
    assert not Agent.objects.exists()


def test_the_people_the_inboxes_and_the_numbers(seeded_demo: None) -> None:
    names = dict(Agent.objects.values_list("username", "display_name"))
    assert names.keys() == {"admin", "ana", "ben", "cho"}
    assert (names["ana"], names["ben"], names["cho"]) == ("Ana Ruiz", "Ben Okafor", "Cho Park")
    assert Agent.objects.get(username="admin").is_superuser
    assert not Agent.objects.get(username="ana").is_staff
    assert all(agent.check_password("partyline") for agent in Agent.objects.all())
    memberships = set(Membership.objects.values_list("inbox__name", "agent__username"))
    assert memberships == {
        ("Front Desk", "ana"),
        ("Front Desk", "ben"),
        ("Front Desk", "cho"),
        ("Dispatch", "ana"),
        ("Dispatch", "ben"),
    }
    assert Inbox.objects.get(owner__username="ana").number
    assert all(n.address.startswith("+120255501") for n in Number.objects.all())


def test_the_front_desk_has_hours_and_answers_nobody_by_itself(seeded_demo: None) -> None:
    inbox = Inbox.objects.get(name="Front Desk")
    assert Hours.of(inbox)
    assert inbox.closed_text
    assert not Inbox.objects.filter(answers_when_closed=True).exists()
    assert not Inbox.objects.filter(greets=True).exists()
    assert Inbox.objects.exclude(weekly_hours=[]).count() == 1


def test_there_is_enough_to_page_through(seeded_demo: None) -> None:
    front = Thread.objects.filter(inbox__name="Front Desk")
    assert front.count() >= 10
    longest = front.annotate(size=Count("messages")).aggregate(Max("size"))
    assert longest["size__max"] > 60
    states = set(Message.objects.values_list("kind", "state"))
    assert states >= {
        ("inbound", ""),
        ("outbound", "delivered"),
        ("outbound", "failed"),
        ("internal", ""),
    }


def test_the_last_columns_describe_the_last_message(seeded_demo: None) -> None:
    for thread in Thread.objects.all():
        last = thread.messages.order_by("created_at").last()
        assert last is not None
        assert (thread.last_message_id, thread.last_at) == (last.pk, last.created_at)
    for inbox in Inbox.objects.all():
        newest = Message.objects.filter(inbox=inbox).order_by("pk").last()
        assert newest is not None
        assert (inbox.last_message_id, inbox.last_at) == (newest.pk, newest.created_at)
        assert inbox.seq >= newest.seq


def test_the_working_day_is_under_way(seeded_demo: None) -> None:
    front = Thread.objects.filter(inbox__name="Front Desk")
    assert set(front.values_list("status", flat=True)) == {"open", "done", "snoozed"}
    assert set(front.values_list("assignee__username", flat=True)) >= {"ana", "ben", None}
    assert front.filter(status="open", assignee=None, needs_reply=True).exists()
    assert front.exclude(label_ids=[]).count() > 3
    assert not Activity.objects.filter(created_at__gt=timezone.now()).exists()
    for thread in front.filter(status="snoozed"):
        assert thread.snoozed_until is not None
        assert thread.snoozed_until > timezone.now()


def test_somebody_is_blocked_and_stands_in_no_other_view(seeded_demo: None) -> None:
    blocked = Thread.objects.get(status="blocked")
    assert blocked.contact.blocked_by is not None
    assert blocked.last_at is not None
    assert blocked.contact.blocked_at is not None
    assert blocked.last_at < blocked.contact.blocked_at < timezone.now()
    assert not blocked.needs_reply
    client = client_of(Agent.objects.get(username="ben"))
    found = {
        view: f'id="thread-{blocked.pk}"' in read_page(client.get(f"/?only={view}"))
        for view in ("blocked", "open", "reply")
    }
    assert found == {"blocked": True, "open": False, "reply": False}


def test_words_are_ready(seeded_demo: None) -> None:
    ana, cho = (Agent.objects.get(username=name) for name in ("ana", "cho"))
    mine, front = SavedReply.objects.visible_to(ana), Inbox.objects.get(name="Front Desk")
    assert set(mine.values_list("inbox__name", flat=True)) == {"Front Desk", "Dispatch", None}
    names = [reply.name for reply in SavedReply.objects.offered_in(front, cho).by_use()]
    assert names[:3] == ["arrival", "arrival-window", "arrival-late"]
    assert any(find_unfilled(reply.body) for reply in mine)


def test_keys_ascend_with_time_and_nothing_is_in_the_future(seeded_demo: None) -> None:
    times = list(Message.objects.order_by("pk").values_list("created_at", flat=True))
    assert times == sorted(times)
    assert times[-1] < timezone.now()


def test_every_outbound_message_and_no_other_has_an_attempt(seeded_demo: None) -> None:
    outbound = Message.objects.filter(kind="outbound")
    assert Attempt.objects.count() == outbound.count()
    assert set(Attempt.objects.values_list("message_id", "state")) == set(
        outbound.values_list("pk", "state")
    )


def test_seeding_again_changes_nothing(seeded_demo: None) -> None:
    before = (Message.objects.count(), Thread.objects.count(), Agent.objects.count())
    Agent.objects.filter(username="ana").update(display_name="Ana R.")
    call_command("seed_demo", verbosity=0)
    after = (Message.objects.count(), Thread.objects.count(), Agent.objects.count())
    assert after == before
    assert Agent.objects.get(username="ana").display_name == "Ana R."


@pytest.mark.parametrize("hour", [0, 9, 23])
def test_at_any_hour_the_whole_history_is_in_the_past(hour: int) -> None:
    now = datetime(2026, 3, 1, hour, 5, tzinfo=UTC)
    lines = history.read_lines(now)
    assert all(line.at < now for line in lines)
    assert {line.author for line in lines} == {"", "ana", "ben", "cho"}
    assert all(line.text == line.text.strip() and len(line.text) <= 1600 for line in lines)


def test_a_customer_has_reacted_to_an_answer(seeded_demo: None) -> None:
    answer = Message.objects.exclude(reacted_with="").get()
    assert (answer.kind, answer.reacted_with) == ("outbound", "❤️")
    assert answer.reactions.count() == 1
