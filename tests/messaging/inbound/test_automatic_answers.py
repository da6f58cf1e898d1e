"""A contact who writes while the inbox is closed is told so once, and a new one is greeted."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inboxes.hours.opening import load_holidays
from inboxes.hours.public_holidays import holidays_of
from inboxes.models import Agent, Inbox, Membership
from messaging.carriers import events
from messaging.inbound.receiving import store_late_text, store_text
from messaging.models import AutomaticAnswer, Message, Notification, OptOut
from messaging.outbound import automatic_answers
from messaging.outbound.opt_outs import record_opt_out
from messaging.work import deeds
from tests.cast import CUSTOMER, DISPATCH, FRONT_DESK, Cast, client_of
from threads.models import Contact, Thread

NINE_TO_FIVE = [[["09:00", "17:00"]]] * 5 + [[], []]
CLOSED = "We're closed. We open {opens}."
GREETING = "Thanks for texting {inbox}!"

# In New York 7:52 PM on a Friday, and Saturday morning, and Monday noon.
EVENING = datetime(2026, 11, 28, 0, 52, tzinfo=UTC)
MORNING = datetime(2026, 11, 28, 14, 0, tzinfo=UTC)
MONDAY = datetime(2026, 11, 30, 17, 0, tzinfo=UTC)
MONDAY_EVENING = datetime(2026, 11, 30, 23, 0, tzinfo=UTC)

_ids = itertools.count(1)


class Now:
    """Holds the time that Django takes for the present."""

    def __init__(self) -> None:
        self.at = EVENING

    def __call__(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> Now:
    now = Now()
    monkeypatch.setattr(timezone, "now", now)
    return now


def give_hours(inbox: Inbox, **columns: Any) -> None:
    """Let the inbox be open on weekdays from 9 to 5 in New York, and tell who writes otherwise."""
    given = {
        "weekly_hours": NINE_TO_FIVE,
        "time_zone": "America/New_York",
        "answers_when_closed": True,
        "closed_text": CLOSED,
        **columns,
    }
    Inbox.objects.filter(pk=inbox.pk).update(**given)


def let_greet(inbox: Inbox) -> None:
    Inbox.objects.filter(pk=inbox.pk).update(greets=True, greeting_text=GREETING)


def answers(*, to: str = FRONT_DESK) -> list[str]:
    """Return what was written automatically, oldest first."""
    texts = Message.objects.filter(is_automatic=True, thread__our_address=to)
    return list(texts.order_by("pk").values_list("body", flat=True))


def text_in(cast: Cast, **fields: Any) -> Message:
    given = {
        "carrier_message_id": f"SM-answer-{next(_ids)}",
        "sender": CUSTOMER,
        "recipient": FRONT_DESK,
        "body": "Hello?",
        **fields,
    }
    with transaction.atomic():
        return store_text(events.InboundText(**given), account=cast.account)


def test_who_writes_after_hours_is_told_once_when_the_inbox_opens(cast: Cast, now: Now) -> None:
    give_hours(cast.front_desk)
    text = cast.text_in("Are you there?")
    assert answers() == ["We're closed. We open Monday at 9:00 AM."]
    cast.text_in("Hello?")
    now.at = MORNING
    cast.text_in("Good morning")
    assert len(answers()) == 1
    cast.text_in("I am somebody else", sender="+12025550178")
    assert len(answers()) == 2
    now.at = MONDAY
    cast.text_in("Now?")
    assert len(answers()) == 2
    now.at = MONDAY_EVENING
    cast.text_in("And now?")
    assert answers()[2:] == ["We're closed. We open tomorrow at 9:00 AM."]
    assert AutomaticAnswer.objects.filter(thread=text.thread).count() == 2


def test_the_answer_is_sent_and_shows_as_automatic(cast: Cast) -> None:
    give_hours(cast.front_desk)
    text = cast.text_in("Are you there?")
    answer = Message.objects.get(is_automatic=True)
    assert (answer.kind, answer.state, answer.author) == ("outbound", "queued", None)
    row = AutomaticAnswer.objects.get()
    assert (row.message, row.kind, row.period_start) == (
        answer,
        "closed",
        datetime(2026, 11, 27, 22, 0, tzinfo=UTC),
    )
    page = client_of(cast.ana).get(f"/threads/{text.thread_id}/").content.decode()
    assert 'class="author">Automatic<' in page
    assert "closed. We open Monday" in page


def test_whoever_is_answered_automatically_still_waits_for_a_reply(cast: Cast) -> None:
    Inbox.objects.filter(pk=cast.front_desk.pk).update(assigns_first_answerer=True)
    give_hours(cast.front_desk)
    text = cast.text_in("Are you there?")
    thread = Thread.objects.get(pk=text.thread_id)
    assert thread.needs_reply
    assert thread.waiting_since == text.created_at
    assert thread.assignee is None
    assert (thread.status, thread.last_author) == ("open", None)
    assert thread.last_excerpt.startswith("We're closed.")
    row = client_of(cast.ana).get(f"/inboxes/{cast.front_desk.pk}/").content.decode()
    assert "<bdi>Automatic</bdi>: " in row


def test_members_are_notified_of_the_text_alone(cast: Cast) -> None:
    give_hours(cast.front_desk)
    text = cast.text_in("Are you there?")
    assert set(Notification.objects.values_list("message", flat=True)) == {text.pk}


def count_unread(agent: Agent, thread: Thread) -> int:
    """Return the number on the unread mark in the row of the thread; 0 without a number."""
    row = client_of(agent).get(f"/inboxes/{thread.inbox_id}/").content.decode()
    found = re.search(r'<span class="count">(\d+)<span class="hidden"> unread</span>', row)
    return int(found[1]) if found else 0


def test_what_partyline_sends_by_itself_is_not_counted_as_unread(cast: Cast, now: Now) -> None:
    Membership.objects.update(created_at=EVENING - timedelta(days=1))
    give_hours(cast.front_desk)
    thread = cast.text_in("Are you there?").thread
    assert len(answers()) == 1
    assert count_unread(cast.ana, thread) == 1
    client = client_of(cast.ana)
    client.get(f"/threads/{thread.pk}/")
    assert count_unread(cast.ana, thread) == 0
    cast.text_in("Hello?")
    assert count_unread(cast.ana, thread) == 1
    assert count_unread(cast.ben, thread) == 2
    now.at = MONDAY_EVENING
    text = cast.text_in("Still closed?")
    assert len(answers()) == 2
    assert count_unread(cast.ana, thread) == 2
    # Ana's page has shown the text and not yet its answer; one more text is then one to read.
    client.post(f"/threads/{thread.pk}/read/", {"message": text.pk})
    cast.text_in("One more thing")
    assert count_unread(cast.ana, thread) == 1
    assert count_unread(cast.ben, thread) == 4


def test_a_done_conversation_is_reopened_by_the_text_and_stays_open(cast: Cast, now: Now) -> None:
    now.at = MONDAY
    thread = cast.thread()
    deeds.mark_done(
        inbox_id=thread.inbox_id, shown={thread.pk: thread.messages.get().pk}, by=cast.ana
    )
    give_hours(cast.front_desk)
    now.at = MONDAY_EVENING
    cast.text_in("One more thing")
    thread.refresh_from_db()
    assert (thread.status, thread.needs_reply, len(answers())) == ("open", True, 1)


def test_only_a_contact_who_has_never_written_is_greeted(cast: Cast, now: Now) -> None:
    give_hours(cast.front_desk)
    now.at = MONDAY
    cast.text_in("We know each other", sender="+12025550178")
    let_greet(cast.front_desk)
    cast.text_in("Do we still?", sender="+12025550178")
    assert answers() == []
    cast.text_in("I am new here")
    assert answers() == ["Thanks for texting Front Desk!"]
    cast.text_in("And again")
    now.at = MONDAY + timedelta(days=1)
    cast.text_in("And again")
    assert len(answers()) == 1


def test_a_new_contact_who_writes_after_hours_is_told_so_and_not_greeted_too(cast: Cast) -> None:
    give_hours(cast.front_desk)
    let_greet(cast.front_desk)
    cast.text_in("I am new here")
    cast.text_in("And again")
    assert answers() == ["We're closed. We open Monday at 9:00 AM."]


def test_an_inbox_without_hours_is_never_closed(cast: Cast) -> None:
    give_hours(cast.front_desk, weekly_hours=[])
    cast.text_in("Are you there?")
    give_hours(cast.front_desk, answers_when_closed=False)
    cast.text_in("Are you there?")
    assert answers() == []


def test_a_closed_day_and_a_holiday_are_told_like_the_night(cast: Cast, now: Now) -> None:
    give_hours(cast.front_desk, holiday_region="US")
    cast.front_desk.closed_days.create(date="2026-11-30")
    now.at = MONDAY
    cast.text_in("Anybody there on Monday?")
    now.at = datetime(2026, 12, 25, 17, tzinfo=UTC)
    cast.text_in("Merry Christmas")
    assert answers() == [
        "We're closed. We open tomorrow at 9:00 AM.",
        "We're closed. We open Monday at 9:00 AM.",
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"sender": "72645"},
        {"sender": "PARCELBOX"},
        {"body": "STOP"},
        {"body": "Help"},
        {"body": "Hello", "keyword": "help"},
        {"body": "Liked “See you tomorrow”"},
        {"others": ("+12025550190",)},
        {"body": "Automatic reply: I am away until Monday."},
        {"body": "I'm driving right now and will answer later."},
        {"body": "This is an automated message. Please do not reply."},
    ],
    ids=lambda fields: "-".join(str(value) for value in fields.values())[:25],
)
def test_no_answer_goes_to_machines_keywords_tapbacks_and_groups(
    cast: Cast, fields: dict[str, Any]
) -> None:
    Inbox.objects.filter(pk=cast.front_desk.pk).update(confirms_opt_outs=False)
    give_hours(cast.front_desk)
    let_greet(cast.front_desk)
    text_in(cast, **fields)
    assert answers() == []
    assert not AutomaticAnswer.objects.exists()


def test_who_opted_out_or_is_blocked_is_told_nothing(cast: Cast, now: Now) -> None:
    now.at = MONDAY
    out, blocked = cast.thread(), cast.thread(sender="+12025550178")
    record_opt_out(our_address=FRONT_DESK, address=CUSTOMER, by=cast.ana)
    Contact.objects.filter(pk=blocked.contact_id).update(
        blocked_at=timezone.now(), blocked_by=cast.ana
    )
    give_hours(cast.front_desk)
    now.at = MONDAY_EVENING
    cast.text_in("Hello?")
    cast.text_in("Hello?", sender="+12025550178")
    assert answers() == []
    # Whoever opts in again in the same night is told like anybody else.
    OptOut.objects.update(ended_at=timezone.now(), ended_how=OptOut.Source.MEMBER)
    cast.text_in("Hello again?")
    assert Message.objects.get(is_automatic=True).thread == out


def test_a_text_that_was_found_afterwards_is_not_answered(cast: Cast) -> None:
    give_hours(cast.front_desk)
    late = events.InboundText("SM-late", CUSTOMER, FRONT_DESK, "Hello?")
    assert store_late_text(late, account=cast.account, arrived_at=EVENING - timedelta(hours=1))
    assert answers() == []


def test_a_number_whose_account_is_off_answers_nobody(cast: Cast) -> None:
    give_hours(cast.front_desk)
    type(cast.account).objects.update(is_active=False)
    cast.text_in("Hello?")
    assert answers() == []


def test_words_in_braces_are_filled_and_leave_no_hole_without_a_value(cast: Cast) -> None:
    give_hours(
        cast.front_desk,
        closed_text="Hi {first name}, {inbox} ({number}) opens {Opens}, {contact}.",
    )
    thread = cast.text_in("Hello?").thread
    assert answers() == ["Hi, Front Desk ((202) 555-0110) opens Monday at 9:00 AM."]
    Contact.objects.filter(pk=thread.contact_id).update(name="Rosa {opens} Diaz")
    AutomaticAnswer.objects.all().delete()
    cast.text_in("Hello?")
    filled = "Hi Rosa, Front Desk ((202) 555-0110) opens Monday at 9:00 AM, Rosa {opens} Diaz."
    assert answers()[1:] == [filled]


@pytest.mark.parametrize(("name", "company"), [("Mrs. Diaz", ""), ("Diaz Dental", "Diaz Dental")])
def test_an_answer_addresses_nobody_by_a_title_or_as_a_company(
    cast: Cast, name: str, company: str
) -> None:
    thread = cast.thread()
    give_hours(cast.front_desk, closed_text="Hi {first name}, we're closed.")
    Contact.objects.filter(pk=thread.contact_id).update(name=name, company=company)
    cast.text_in("Hello?")
    assert answers() == ["Hi, we're closed."]
    Contact.objects.filter(pk=thread.contact_id).update(name="Diaz, Rosa")
    AutomaticAnswer.objects.all().delete()
    cast.text_in("Hello?")
    assert answers()[1:] == ["Hi Rosa, we're closed."]


def test_two_inboxes_that_text_each_other_at_night_stop_after_one_answer_each(cast: Cast) -> None:
    give_hours(cast.front_desk)
    give_hours(cast.dispatch, closed_text="Dispatch is closed.")
    let_greet(cast.front_desk)
    let_greet(cast.dispatch)
    cast.text_in("Ping", sender=DISPATCH, to=FRONT_DESK)
    carried: set[int] = set()
    for _ in range(10):
        waiting = Message.objects.filter(kind="outbound").exclude(pk__in=carried)
        for message in waiting.select_related("thread__contact"):
            carried.add(message.pk)
            thread = message.thread
            cast.text_in(message.body, sender=thread.our_address, to=thread.contact.address)
    assert (len(answers(to=FRONT_DESK)), len(answers(to=DISPATCH))) == (1, 1)


def test_hours_that_are_changed_in_a_closed_period_tell_nobody_twice(cast: Cast) -> None:
    give_hours(cast.front_desk)
    cast.text_in("Hello?")
    week = [[["09:00", "16:00"]]] * 5 + [[], []]
    give_hours(cast.front_desk, weekly_hours=week)
    cast.text_in("Hello?")
    assert len(answers()) == 1


def test_receiving_asks_the_database_no_more_where_an_inbox_does_not_answer(cast: Cast) -> None:
    cast.text_in("Hello?")
    with CaptureQueriesContext(connection) as without:
        cast.text_in("Hello?")
    give_hours(cast.front_desk)
    cast.text_in("Hello?")
    with CaptureQueriesContext(connection) as answered_before:
        cast.text_in("Hello?")
    give_hours(cast.front_desk, answers_when_closed=False)
    with CaptureQueriesContext(connection) as off:
        cast.text_in("Hello?")
    assert len(off) == len(without)
    # What is asked, and the savepoint around it.
    assert len(answered_before) == len(without) + 3


def fail_to_fill(_: str, __: object) -> str:
    raise ValueError("Hello? from Rosa")


def fail_in_database(_: str, __: object) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")
    return ""


@pytest.mark.parametrize("fail", [fail_to_fill, fail_in_database], ids=["filling", "statement"])
def test_a_text_is_kept_when_its_answer_goes_wrong(
    cast: Cast,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    fail: Callable[[str, object], str],
) -> None:
    give_hours(cast.front_desk)
    monkeypatch.setattr(automatic_answers, "fill_text", fail)
    text = cast.text_in("Hello?")
    assert Message.objects.get(pk=text.pk).body == "Hello?"
    assert answers() == []
    [line] = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert f"The text {text.pk} got no automatic answer" in line
    assert "Hello" not in caplog.text


def test_a_text_is_repeated_when_the_database_goes_away_in_its_answer(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: str, __: object) -> str:
        raise OperationalError("the connection is lost")

    give_hours(cast.front_desk)
    monkeypatch.setattr(automatic_answers, "fill_text", fail)
    with pytest.raises(OperationalError):
        text_in(cast)
    assert not Message.objects.exists()


def test_holidays_are_loaded_before_texts_come_in_if_an_inbox_answers_on_them(cast: Cast) -> None:
    holidays_of.cache_clear()
    load_holidays()
    assert holidays_of.cache_info().currsize == 0
    give_hours(cast.front_desk, holiday_region="US-CA")
    load_holidays()
    assert holidays_of.cache_info().currsize == 1
    cast.text_in("Hello?")
    assert holidays_of.cache_info().currsize == 1
    assert holidays_of.cache_info().hits > 0
