"""A text that failed or is unknown counts until it is retried, delivered or seen."""

from __future__ import annotations

import itertools
import json
import uuid
from typing import Any

import pytest
from channels.db import database_sync_to_async as in_database
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from procrastinate.contrib.django.models import ProcrastinateJob

from inboxes.actions import add_member, remove_member
from inboxes.models import Agent, Inbox
from messaging.carriers import events, results
from messaging.models import Attempt, Message, Notification, ScheduledText
from messaging.notifications.push import push_agent
from messaging.notifications.words import popup_content
from messaging.outbound.delivery import write_outcome
from messaging.outbound.failures import mark_failure_seen
from messaging.outbound.receipts import apply_receipt
from messaging.outbound.scheduling import (
    change_scheduled_text,
    delete_scheduled_text,
    send_if_due,
    send_scheduled_text_now,
)
from messaging.outbound.sending import NotRetriable, retry_message
from messaging.outbound.starting import start_conversation
from tests.cast import DISPATCH, FRONT_DESK, Cast, client_of
from tests.messaging.live.live_pages import PATIENCE, Opener
from tests.messaging.notifications.push_service import (
    Browser,
    FakeService,
    service,
    subscribe_browser,
)
from tests.messaging.scheduled_texts import HOUR, make_due, schedule_in
from threads.actions import set_mute
from threads.models import Thread

pytestmark = pytest.mark.django_db
__all__ = ["service"]

CUSTOMERS = [f"+1202555020{index}" for index in range(3)]
_ids = itertools.count(1)

REFUSED = results.Rejected("30003", "bad_address", "No such number.")
UNCLEAR = results.OutcomeUnknown("No answer.")


def attempt_to_send(cast: Cast, message: Message, result: results.SendResult) -> Attempt:
    """Let the carrier answer an attempt to send the message."""
    ordinal = message.attempts.count() + 1
    attempt = Attempt.objects.create(message=message, account=cast.account, ordinal=ordinal)
    Message.objects.filter(pk=message.pk).update(state="sending")
    write_outcome(attempt, result)
    return attempt


def fail(cast: Cast, message: Message) -> Message:
    attempt_to_send(cast, message, REFUSED)
    message.refresh_from_db()
    assert message.state == "failed"
    return message


def apply(cast: Cast, message: Message, state: events.State) -> None:
    """Apply a receipt to the message's newest attempt."""
    attempt = message.attempts.order_by("-ordinal").first()
    if attempt is None:
        return
    receipt = events.Receipt(
        attempt.carrier_message_id or f"SM-out-{attempt.pk}", state, str(next(_ids)), "transient"
    )
    with transaction.atomic():
        apply_receipt(account=cast.account, receipt=receipt, attempt_token=str(attempt.token))


def failures_of(thread: Thread) -> tuple[int, int]:
    """Count slowly and obviously: failed or held texts, and unknown ones, that nobody has seen."""
    texts = Message.objects.filter(thread=thread, failure_seen_at=None)
    held = ScheduledText.objects.filter(thread=thread, state="held").count()
    return texts.filter(state="failed").count() + held, texts.filter(state="unknown").count()


def assert_counts_are_right() -> None:
    for inbox in Inbox.objects.all():
        expected = {thread: failures_of(thread) for thread in inbox.threads.all()}
        for thread, (failed, unknown) in expected.items():
            assert (thread.failed_count, thread.unknown_count) == (failed, unknown)
        with_failed = [thread for thread, (failed, _) in expected.items() if failed]
        only_unknown = [t for t, (failed, unknown) in expected.items() if unknown and not failed]
        assert (inbox.failed_count, inbox.unknown_count) == (len(with_failed), len(only_unknown))
        listed = Thread.objects.filter(inbox=inbox).failing()
        assert set(listed) == {*with_failed, *only_unknown}
    for message in Message.objects.exclude(unseen_failure=""):
        assert message.unseen_failure == message.state
        told = Notification.objects.get(message=message, agent=message.author_id)
        assert told.reason == message.state


DEED = st.tuples(
    st.sampled_from(
        ["write", "refuse", "lose", "accept", "not_sent", "deliver", "fail", "retry", "retry",
         "seen", "text_in", "hold", "change", "delete", "send_held"]
    ),
    st.integers(0, 5),
)  # fmt: skip


class Deeds:
    """Do what agents and carriers do, to a few texts in a few threads."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.threads = [cast.thread(sender=sender) for sender in CUSTOMERS]
        self.messages = [cast.answer(thread, "Hello") for thread in self.threads[:2]]
        self.texts: list[ScheduledText] = []

    def do(self, deed: str, which: int) -> None:
        message = self.messages[which % len(self.messages)]
        message.refresh_from_db()
        sent: dict[str, results.SendResult] = {
            "refuse": REFUSED,
            "lose": UNCLEAR,
            "accept": results.Accepted(f"SM-{next(_ids)}", "sent"),
            "not_sent": results.NotSent("No way there."),
        }
        receipts: dict[str, events.State] = {"deliver": "delivered", "fail": "failed"}
        if deed in sent:
            if message.state == "queued":
                attempt_to_send(self.cast, message, sent[deed])
        elif deed in receipts:
            apply(self.cast, message, receipts[deed])
        elif deed in {"change", "delete", "send_held"}:
            if self.texts:
                self.settle(deed, self.texts.pop(which % len(self.texts)))
        else:
            getattr(self, deed)(message, self.threads[which % len(self.threads)])

    def write(self, message: Message, thread: Thread) -> None:
        self.messages.append(self.cast.answer(thread, "Another one", author=self.cast.ben))

    def text_in(self, message: Message, thread: Thread) -> None:
        self.cast.text_in("And now?", sender=thread.contact.address)

    def retry(self, message: Message, thread: Thread) -> None:
        try:
            retry_message(message=message)
        except NotRetriable:
            assert message.state not in {"failed", "unknown"}

    def seen(self, message: Message, thread: Thread) -> None:
        mark_failure_seen(message=message, agent=self.cast.cho)

    def hold(self, message: Message, thread: Thread) -> None:
        """Let a text become due after the customer has written."""
        text = schedule_in(self.cast, thread)
        self.text_in(message, thread)
        assert not send_if_due(text=make_due(text))
        self.texts.append(text)

    def settle(self, deed: str, text: ScheduledText) -> None:
        text.refresh_from_db()
        if deed == "delete":
            delete_scheduled_text(text=text)
        elif deed == "send_held":
            self.messages.append(send_scheduled_text_now(text=text, agent=self.cast.ben))
        else:
            change_scheduled_text(
                text=text,
                agent=self.cast.ana,
                body="Your car is ready now",
                send_at=timezone.now() + HOUR,
                is_regardless=True,
                known_seq=text.seq,
            )


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(deeds=st.lists(DEED, min_size=5, max_size=30))
def test_after_any_deeds_the_counts_equal_a_slow_count(
    cast: Cast, deeds: list[tuple[str, int]]
) -> None:
    doing = Deeds(cast)
    for deed, which in deeds:
        doing.do(deed, which)
        assert_counts_are_right()


def unread(cast: Cast, agent: Any) -> list[tuple[str, int]]:
    rows = Notification.objects.filter(agent=agent, reason__in=["failed", "unknown"]).unread()
    return list(rows.values_list("reason", "message"))


def test_the_author_is_told_that_a_text_failed_and_nobody_else(cast: Cast) -> None:
    message = fail(cast, cast.answer(cast.thread(), "Yes, until six."))
    assert unread(cast, cast.ana) == [("failed", message.pk)]
    assert unread(cast, cast.ben) == unread(cast, cast.cho) == []


def test_the_author_is_told_also_in_a_muted_thread(cast: Cast) -> None:
    thread = cast.thread()
    set_mute(thread=thread, agent=cast.ana, is_muted=True)
    message = cast.answer(thread, "Yes, until six.")
    attempt_to_send(cast, message, UNCLEAR)
    assert unread(cast, cast.ana) == [("unknown", message.pk)]


def test_an_author_who_has_left_the_inbox_is_told_nothing(cast: Cast) -> None:
    message = cast.answer(cast.thread(), "Yes, until six.")
    remove_member(inbox=cast.front_desk, agent=cast.ana, changed_by=None)
    fail(cast, message)
    assert unread(cast, cast.ana) == []
    assert Thread.objects.get().failure == "failed"


def test_a_retry_takes_the_failure_away_and_a_second_one_is_told_anew(cast: Cast) -> None:
    message = fail(cast, cast.answer(cast.thread(), "Yes, until six."))
    retry_message(message=message)
    assert unread(cast, cast.ana) == []
    assert not Thread.objects.failing().exists()
    first = Notification.objects.get(agent=cast.ana, message=message)
    message.refresh_from_db()
    fail(cast, message)
    assert unread(cast, cast.ana) == [("failed", message.pk)]
    assert Notification.objects.get(agent=cast.ana, message=message).pk > first.pk


def test_an_unknown_text_that_fails_is_not_told_twice(cast: Cast) -> None:
    message = cast.answer(cast.thread(), "Yes, until six.")
    attempt_to_send(cast, message, UNCLEAR)
    Notification.objects.filter(agent=cast.ana).update(read_at=timezone.now())
    apply(cast, message, "failed")
    assert unread(cast, cast.ana) == []
    assert Notification.objects.get(agent=cast.ana, message=message).reason == "failed"
    assert Thread.objects.get().failure == "failed"


def test_a_delivery_after_all_takes_the_failure_away(cast: Cast) -> None:
    message = cast.answer(cast.thread(), "Yes, until six.")
    attempt_to_send(cast, message, UNCLEAR)
    apply(cast, message, "delivered")
    assert unread(cast, cast.ana) == []
    cast.front_desk.refresh_from_db()
    assert cast.front_desk.failure == Thread.objects.get().failure == ""


def test_what_one_member_has_seen_is_seen_for_all_and_says_by_whom(cast: Cast) -> None:
    message = fail(cast, cast.answer(cast.thread(), "Yes, until six."))
    seen = mark_failure_seen(message=message, agent=cast.cho)
    assert (seen.failure_seen_by, seen.state) == (cast.cho, "failed")
    assert seen.seq > message.seq
    again = mark_failure_seen(message=message, agent=cast.ben)
    assert (again.failure_seen_by_id, again.seq) == (cast.cho.pk, seen.seq)
    assert not Thread.objects.failing().exists()


def test_a_seen_unknown_text_that_then_fails_counts_again(cast: Cast) -> None:
    message = cast.answer(cast.thread(), "Yes, until six.")
    attempt_to_send(cast, message, UNCLEAR)
    message.refresh_from_db()
    mark_failure_seen(message=message, agent=cast.cho)
    Notification.objects.filter(agent=cast.ana).update(read_at=timezone.now())
    apply(cast, message, "failed")
    message.refresh_from_db()
    assert (message.unseen_failure, message.failure_seen_by) == ("failed", None)
    assert unread(cast, cast.ana) == [("failed", message.pk)]


def test_what_failed_before_the_upgrade_counts_as_seen(cast: Cast) -> None:
    message = cast.answer(cast.thread(), "An old one")
    Message.objects.filter(pk=message.pk).update(state="failed", reason="No such number.")
    assert not Thread.objects.failing().exists()
    retry_message(message=message)
    assert Thread.objects.get().failed_count == 0
    fail(cast, message)
    assert Thread.objects.get().failed_count == 1


def test_a_text_that_an_older_process_retried_stops_counting_when_it_goes_on(cast: Cast) -> None:
    message = fail(cast, cast.answer(cast.thread(), "Yes, until six."))
    Message.objects.filter(pk=message.pk).update(state="queued")  # it uncounts nothing
    message.refresh_from_db()
    attempt_to_send(cast, message, results.Accepted("SM-older", "sent"))
    message.refresh_from_db()
    assert (message.state, message.unseen_failure) == ("sent", "")
    assert_counts_are_right()
    assert unread(cast, cast.ana) == []


def test_a_text_on_its_way_asks_nothing_about_failures(cast: Cast) -> None:
    message = cast.answer(cast.thread(), "Yes, until six.")
    with CaptureQueriesContext(connection) as captured, transaction.atomic():
        attempt_to_send(cast, message, results.Accepted("SM-quick", "sent"))
    asked = [one["sql"] for one in captured if one["sql"].startswith("SELECT")]
    assert not [sql for sql in asked if "failed_count" in sql or "optout" in sql.lower()]


def test_an_automatic_answer_that_fails_is_marked_and_told_to_nobody(cast: Cast) -> None:
    Inbox.objects.filter(pk=cast.front_desk.pk).update(help_text="We answer from 9 to 5.")
    cast.account.carrier = "telnyx"
    cast.account.save()
    cast.text_in("HELP")
    fail(cast, Message.objects.get(is_automatic=True))
    assert Thread.objects.get().failure == "failed"
    assert not Notification.objects.filter(reason="failed").exists()


def test_starting_a_conversation_that_fails_tells_its_author(cast: Cast) -> None:
    message = start_conversation(
        inbox=cast.dispatch,
        author=cast.ben,
        address="+12025550190",
        body="Hello from Dispatch",
        form_key=uuid.uuid4(),
    )
    fail(cast, message)
    assert unread(cast, cast.ben) == [("failed", message.pk)]
    cast.dispatch.refresh_from_db()
    assert cast.dispatch.failure == "failed"


def test_the_author_is_pushed_the_failure_with_what_to_do_and_colleagues_are_not(
    cast: Cast, service: FakeService
) -> None:
    anas, bens = Browser(), Browser()
    subscribe_browser(client_of(cast.ana), service.endpoint("ana"), anas)
    subscribe_browser(client_of(cast.ben), service.endpoint("ben"), bens)
    message = cast.answer(cast.thread(), "Yes, until six.")
    ProcrastinateJob.objects.all().delete()
    fail(cast, message)
    assert not ProcrastinateJob.objects.filter(task_name="push_message").exists()
    job = ProcrastinateJob.objects.get(task_name="push_agent")
    assert job.args == {"agent_id": cast.ana.pk, "message_id": message.pk}
    push_agent(cast.ana.pk, message.pk, is_ending=lambda: False)
    ((name, _, body),) = service.log
    told = anas.open(body)
    assert name == "ana"
    assert told["title"] == "Failed: your text to (202) 555-0177"
    assert told["body"].startswith("This number can")
    assert told["url"].startswith(f"/threads/{message.thread_id}/?at={message.pk}")


def test_a_second_failure_pops_up_again(cast: Cast) -> None:
    def tag() -> object:
        told = Notification.objects.with_words().get(message=message, agent=cast.ana)
        return popup_content(told)["tag"]

    message = fail(cast, cast.answer(cast.thread(), "Yes, until six."))
    first = tag()
    retry_message(message=message)
    message.refresh_from_db()
    fail(cast, message)
    assert tag() != first


@pytest.mark.django_db(transaction=True)
async def test_the_list_over_all_follows_failures_and_memberships(
    cast: Cast, opened: Opener
) -> None:
    def fail_in(to: str) -> Message:
        return fail(cast, cast.answer(cast.thread(to=to), "On our way"))

    page = await opened(cast.cho, "/?only=failed")
    message = await in_database(fail_in)(FRONT_DESK)
    await page.receive_until_idle()
    assert set(page.placed) == {f"thread-{message.thread_id}"}
    assert page.counts[cast.front_desk.pk]["failed"] == 1
    other = await in_database(fail_in)(DISPATCH)
    await in_database(add_member)(inbox=cast.dispatch, agent=cast.cho, changed_by=None)
    await page.receive_until_idle()
    assert set(page.placed) == {f"thread-{message.thread_id}", f"thread-{other.thread_id}"}
    await in_database(remove_member)(inbox=cast.dispatch, agent=cast.cho, changed_by=None)
    await page.receive_until_idle()
    assert set(page.placed) == {f"thread-{message.thread_id}"}
    await in_database(mark_failure_seen)(message=message, agent=cast.ana)
    await page.receive_until_idle()
    assert not page.placed


@pytest.mark.django_db(transaction=True)
async def test_the_authors_bell_rises_with_the_failure_and_falls_with_a_retry(
    cast: Cast, opened: Opener
) -> None:
    async def read_bell() -> int:
        """Return the unread count of the next frame that has one."""
        while True:
            frame = json.loads(await page.socket.receive_from(PATIENCE))
            if "notices" in frame and "rows" in frame:
                return int(frame["notices"]["unread"])

    thread = await in_database(cast.thread)()
    message = await in_database(cast.answer)(thread, "Yes, until six.")
    page = await opened(cast.ana, "/")
    await page.receive_until_idle()
    before = await in_database(count_unread)(cast.ana)
    await in_database(fail)(cast, message)
    assert await read_bell() == before + 1
    await in_database(retry_message)(message=message)
    assert await read_bell() == before


def count_unread(agent: Agent) -> int:
    return Notification.objects.filter(agent=agent).unread().count()
