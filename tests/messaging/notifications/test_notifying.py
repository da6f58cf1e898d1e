"""Agents are notified of messages, and their notifications are counted, read and deleted."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inboxes import counters
from inboxes.models import Agent, Inbox, Membership
from messaging.models import Message, Notification, NotificationPreference
from messaging.notifications import lists
from messaging.notifications.lists import list_notifications, unread_counts
from messaging.stream.notifying import delete_old_notifications, notify_members, set_preference
from tests.cast import ANAS_LINE, CUSTOMER, DISPATCH, Cast, client_of
from threads.actions import set_mute
from threads.models import Thread

Level = NotificationPreference.Level


def notified_reasons(message: Message) -> dict[str, str]:
    """Return the reason by the handle of each agent who was notified."""
    return dict(message.notifications.values_list("agent__username", "reason"))


def write_message(cast: Cast, thread: Thread, kind: str) -> Message:
    """Write a message of that kind; none of them is by ben."""
    if kind == "inbound":
        return cast.text_in("Hello again")
    if kind == "outbound":
        return cast.answer(thread, "Hello to you")
    return cast.note(thread, "Look @ben" if kind == "mention" else "Who takes this?")


@pytest.mark.parametrize("kind", ["inbound", "outbound", "internal", "mention"])
@pytest.mark.parametrize("is_muted", [False, True])
@pytest.mark.parametrize("level", [None, *Level])
def test_a_member_is_notified_as_they_chose_and_always_of_a_mention(
    cast: Cast, kind: str, is_muted: bool, level: Level | None
) -> None:
    thread = cast.thread()
    set_mute(thread=thread, agent=cast.ben, is_muted=is_muted)
    if level is not None:
        set_preference(agent=cast.ben, inbox_id=cast.front_desk.pk, level=level)
    wanted = {
        None: True,
        Level.EVERYTHING: True,
        Level.INBOUND: kind == "inbound",
        Level.MINE: True,  # nobody's, in an inbox whose unassigned conversations notify
    }
    is_told = kind == "mention" or (not is_muted and wanted.get(level, False))
    reasons = notified_reasons(write_message(cast, thread, kind))
    assert reasons.get("ben") == (kind if is_told else None)
    # One agent's wishes are nobody else's.
    assert reasons.get("cho") == ("internal" if kind == "mention" else kind)
    assert "dov" not in reasons


@pytest.mark.parametrize("says_so", [True, False])
@pytest.mark.parametrize("assignee", ["ben", "cho", None])
def test_mine_and_mentions_covers_what_is_mine_and_what_is_nobodys_if_the_inbox_says_so(
    cast: Cast, assignee: str | None, says_so: bool
) -> None:
    thread = cast.thread()
    Inbox.objects.filter(pk=cast.front_desk.pk).update(unassigned_notifies=says_so)
    Thread.objects.filter(pk=thread.pk).update(
        assignee=None if assignee is None else getattr(cast, assignee)
    )
    set_preference(agent=cast.ben, inbox_id=cast.front_desk.pk, level=Level.MINE)
    is_told = assignee == "ben" or (assignee is None and says_so)
    assert ("ben" in notified_reasons(cast.text_in("Hello again"))) == is_told
    assert ("ben" in notified_reasons(cast.note(thread, "Who takes this?"))) == is_told
    assert notified_reasons(cast.note(thread, "Look @ben"))["ben"] == "mention"


def test_nobody_is_notified_of_their_own_message_or_mention(cast: Cast) -> None:
    thread = cast.thread()
    assert notified_reasons(cast.answer(thread, "On my way", author=cast.ana)).keys() == {
        "ben",
        "cho",
    }
    assert notified_reasons(cast.note(thread, "@ana is me")) == {
        "ben": "internal",
        "cho": "internal",
    }


def test_the_handle_of_an_outsider_notifies_nobody(cast: Cast) -> None:
    assert "dov" not in notified_reasons(cast.note(cast.thread(), "@dov @admin look"))


def test_a_personal_line_notifies_its_owner_only(cast: Cast) -> None:
    assert notified_reasons(cast.text_in("Just you", to=ANAS_LINE)) == {"ana": "inbound"}


def test_a_deactivated_member_is_not_notified(cast: Cast) -> None:
    Agent.objects.filter(pk=cast.ben.pk).update(is_active=False)
    assert notified_reasons(cast.text_in("Hello")).keys() == {"ana", "cho"}


def test_notifying_two_hundred_members_takes_one_statement_like_two(cast: Cast) -> None:
    texts = [cast.text_in("Hello", to=DISPATCH), cast.text_in("Hello")]
    people = Agent.objects.bulk_create(
        Agent(username=f"agent{n}", display_name=f"Agent {n}") for n in range(200)
    )
    Membership.objects.bulk_create(
        Membership(inbox=cast.front_desk, agent=agent) for agent in people
    )
    counts = []
    for text in texts:
        text.notifications.all().delete()
        with CaptureQueriesContext(connection) as queries:
            notify_members(text)
        counts.append((len(queries), text.notifications.count()))
    assert counts == [(1, 2), (1, 203)]


def test_opening_a_thread_reads_its_notifications(cast: Cast) -> None:
    thread, other = cast.thread(), cast.thread(sender="+12025550178")
    assert unread_counts([cast.ana.pk, cast.ben.pk]) == {cast.ana.pk: 2, cast.ben.pk: 2}
    client_of(cast.ana).get(f"/threads/{thread.pk}/")
    assert unread_counts([cast.ana.pk, cast.ben.pk]) == {cast.ana.pk: 1, cast.ben.pk: 2}
    assert Notification.objects.unread().get(agent=cast.ana).thread == other


def test_a_page_reads_as_far_as_it_has_shown_and_no_further(cast: Cast) -> None:
    shown = cast.text_in("Hello")
    later = cast.text_in("Came meanwhile")
    client_of(cast.ana).post(f"/threads/{shown.thread_id}/read/", {"message": shown.pk})
    assert [n.message for n in Notification.objects.unread().filter(agent=cast.ana)] == [later]


def aged(cast: Cast, *, days: int, read_days: int | None = None) -> Notification:
    message = cast.text_in(f"{days} days old")
    mine = Notification.objects.get(agent=cast.ana, message=message)
    Notification.objects.exclude(pk=mine.pk).filter(message=message).delete()
    mine.created_at = timezone.now() - timedelta(days=days)
    if read_days is not None:
        mine.read_at = timezone.now() - timedelta(days=read_days)
    mine.save()
    return mine


def test_old_ones_are_deleted_in_batches_and_the_rest_stays(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.stream.notifying.DELETING_BATCH", 2)
    kept = {
        aged(cast, days=29, read_days=29).pk,
        aged(cast, days=89, read_days=29).pk,
        aged(cast, days=89).pk,
    }
    for _ in range(3):
        aged(cast, days=31, read_days=31)
        aged(cast, days=91)
    assert delete_old_notifications() == 6
    assert set(Notification.objects.values_list("pk", flat=True)) == kept


def test_the_bell_icon_counts_no_further_than_it_shows(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "MAX_COUNTED", 2)
    for body in ("One", "Two", "Three"):
        cast.text_in(body)
    assert unread_counts([cast.ana.pk, cast.dov.pk]) == {cast.ana.pk: 2, cast.dov.pk: 0}


def test_the_demo_starts_with_few_unread(db: None) -> None:
    call_command("seed_demo", verbosity=0)
    counts = unread_counts(Agent.objects.values_list("pk", flat=True))
    assert 0 < max(counts.values()) < 10


def test_a_notification_is_stamped_with_its_message(cast: Cast) -> None:
    with transaction.atomic():
        seq = counters.next_inbox_seq(cast.front_desk.pk)
    message = cast.text_in("Hello", sender=CUSTOMER)
    assert message.seq == seq + 1
    assert set(message.notifications.values_list("seq", flat=True)) == {message.seq}
    assert len(list_notifications(cast.ana).rows) == 1
