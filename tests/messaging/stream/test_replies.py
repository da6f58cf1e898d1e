"""The list *Needs reply* holds what can be answered and asks for it, and nothing else."""

from __future__ import annotations

import itertools

import pytest
from channels.db import database_sync_to_async as in_database
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inboxes.models import Inbox
from messaging.carriers import events
from messaging.inbound.receiving import store_late_text
from messaging.models import Message, Number, OptOut, OptOutSettings
from messaging.outbound.opt_outs import end_opt_out, end_opt_outs_of_thread, record_opt_out
from messaging.outbound.sending import SendingRefused
from messaging.stream.refusals import find_refusal
from messaging.stream.replies import follow_number
from tests.cast import CUSTOMER, FRONT_DESK, Cast
from tests.messaging.live.live_pages import Opener
from threads.models import Contact, Thread

pytestmark = pytest.mark.django_db

SENDERS = ["+12025550201", "+12025550202", "PARCELBOX", "72645"]
SPARE = "+12025550119"
_ids = itertools.count(1)
WORDS = ["Hello?", "STOP", "START", "HELP", "Yes", "stop by at five"]
DEED = st.tuples(
    st.sampled_from(
        ["text_in", "text_in", "text_in", "late_stop", "answer", "note", "record", "end",
         "end_in_thread", "for_all", "move", "move_back", "switch"]
    ),
    st.integers(0, 11),
)  # fmt: skip


def find_late(cast: Cast, body: str, after: Message) -> None:
    """Store a text afterwards that was sent just after a message of its thread."""
    thread = after.thread
    sender, number = thread.contact.address, thread.our_address
    text = events.InboundText(f"SM-late-{next(_ids)}", sender, number, body)
    store_late_text(text, account=cast.account, arrived_at=after.created_at)


def read_as(text: Message) -> tuple[int, int]:
    """Return where it is read: a late STOP where it belongs, anything else when it came to us."""
    if text.keyword == "opt_out" and text.after_id is not None:
        return text.after_id, text.pk
    return text.pk, 0


def needs_reply(thread: Thread) -> bool:
    """Say slowly and obviously whether the thread belongs into the list."""
    texts = Message.objects.filter(thread=thread, is_automatic=False).exclude(kind="internal")
    last = max(texts, key=read_as, default=None)
    is_asking = last is not None and last.kind == "inbound" and last.keyword != "opt_out"
    return is_asking and not find_refusal(thread)


class Deeds:
    """Do what contacts, members and administrators do."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        OptOutSettings.objects.update_or_create(pk=1, defaults={"is_for_all": False})

    def do(self, deed: str, which: int) -> None:
        getattr(self, deed)(which)

    def thread(self, which: int) -> Thread | None:
        threads = list(Thread.objects.select_related("contact", "inbox").order_by("pk"))
        return threads[which % len(threads)] if threads else None

    def text_in(self, which: int) -> None:
        sender = SENDERS[which % len(SENDERS)]
        number = Number.objects.order_by("pk")[which % 2]
        self.cast.text_in(WORDS[which % len(WORDS)], sender=sender, to=number.address)

    def late_stop(self, which: int) -> None:
        """Find a STOP that was sent after one of the thread's messages."""
        if (thread := self.thread(which)) is None:
            return
        messages = list(thread.messages.order_by("pk"))
        find_late(self.cast, "STOP", messages[which % len(messages)])

    def answer(self, which: int) -> None:
        if (thread := self.thread(which)) is not None:
            try:
                self.cast.answer(thread, "On our way")
            except SendingRefused:
                assert find_refusal(thread)

    def note(self, which: int) -> None:
        if (thread := self.thread(which)) is not None:
            self.cast.note(thread, "Call them")

    def record(self, which: int) -> None:
        if (thread := self.thread(which)) is not None:
            record_opt_out(our_address=thread.our_address, address=thread.contact.address)

    def end(self, which: int) -> None:
        current = list(OptOut.objects.current().order_by("pk"))
        if current:
            end_opt_out(opt_out=current[which % len(current)])

    def end_in_thread(self, which: int) -> None:
        if (thread := self.thread(which)) is not None:
            end_opt_outs_of_thread(thread=thread, by=self.cast.ana, reason="They called")

    def for_all(self, which: int) -> None:
        OptOutSettings.objects.update_or_create(pk=1, defaults={"is_for_all": bool(which % 2)})

    def move(self, which: int) -> None:
        self.renumber(FRONT_DESK, SPARE)

    def move_back(self, which: int) -> None:
        self.renumber(SPARE, FRONT_DESK)

    def renumber(self, old: str, new: str) -> None:
        """Give Front Desk another number, as the administration does."""
        Number.objects.filter(address=old, inbox=self.cast.front_desk).update(address=new)
        follow_number(inbox_id=self.cast.front_desk.pk, our_addresses=[old, new])

    def switch(self, which: int) -> None:
        """Swap the numbers of Front Desk and Dispatch."""
        one, other = (
            Number.objects.get(inbox=inbox) for inbox in (self.cast.front_desk, self.cast.dispatch)
        )
        addresses = one.address, other.address
        Number.objects.filter(pk=one.pk).update(address="99999")
        Number.objects.filter(pk=other.pk).update(address=addresses[0])
        Number.objects.filter(pk=one.pk).update(address=addresses[1])
        for inbox in (self.cast.front_desk, self.cast.dispatch):
            follow_number(inbox_id=inbox.pk, our_addresses=addresses)


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(deeds=st.lists(DEED, min_size=5, max_size=25))
def test_after_any_deeds_the_list_equals_a_slow_one(
    cast: Cast,
    deeds: list[tuple[str, int]],
    django_capture_on_commit_callbacks: object,
) -> None:
    doing = Deeds(cast)
    for deed, which in deeds:
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
            doing.do(deed, which)
        threads = list(Thread.objects.select_related("contact", "inbox"))
        expected = {thread.pk for thread in threads if needs_reply(thread)}
        listed = Thread.objects.filter(needs_reply=True)
        assert set(listed.values_list("pk", flat=True)) == expected


def test_a_stop_needs_no_reply_and_neither_does_what_follows_it(cast: Cast) -> None:
    thread = cast.thread()
    assert Thread.objects.get().needs_reply
    cast.text_in("STOP")
    assert not Thread.objects.get().needs_reply
    cast.text_in("Did you hear me?")
    assert not Thread.objects.get().needs_reply
    end_opt_outs_of_thread(thread=thread, by=cast.ana, reason="They called")
    assert Thread.objects.get().needs_reply


def test_a_late_stop_that_a_start_has_overtaken_leaves_the_customer_waiting(cast: Cast) -> None:
    first = cast.thread().messages.get()
    cast.text_in("STOP")
    cast.text_in("START")
    cast.text_in("Can I book again?")
    find_late(cast, "STOP", first)
    assert not OptOut.objects.current().exists()
    assert Thread.objects.get().needs_reply
    follow_number(inbox_id=cast.front_desk.pk, our_addresses=[FRONT_DESK])
    assert Thread.objects.get().needs_reply


def test_a_late_stop_that_counts_takes_its_thread_out_of_the_list(cast: Cast) -> None:
    thread = cast.thread()
    find_late(cast, "STOP", thread.messages.get())
    assert OptOut.objects.current().exists()
    assert not Thread.objects.get().needs_reply
    end_opt_outs_of_thread(thread=thread, by=cast.ana, reason="They called")
    assert not Thread.objects.get().needs_reply, "nothing was asked after it"


def test_a_sender_without_a_number_needs_no_reply(cast: Cast) -> None:
    cast.text_in("Your parcel is here", sender="PARCELBOX")
    assert not Thread.objects.get().needs_reply


def test_an_account_that_is_off_leaves_its_customers_waiting(cast: Cast) -> None:
    cast.thread()
    cast.account.is_active = False
    cast.account.save()
    follow_number(inbox_id=cast.front_desk.pk, our_addresses=[FRONT_DESK])
    assert Thread.objects.get().needs_reply


def test_a_number_that_goes_elsewhere_in_the_administration_empties_the_list(
    cast: Cast, admin_client: Client
) -> None:
    thread = cast.thread()
    Number.objects.filter(inbox=cast.dispatch).delete()
    number = Number.objects.get(inbox=cast.front_desk)
    form = {"account": cast.account.pk, "inbox": cast.dispatch.pk, "segments_per_second": ""}
    path = f"/admin/messaging/number/{number.pk}/change/"
    assert admin_client.post(path, form).status_code == 302
    assert not Thread.objects.get().needs_reply
    back = form | {"inbox": cast.front_desk.pk}
    assert admin_client.post(path, back).status_code == 302
    assert Thread.objects.get(pk=thread.pk).needs_reply


def test_a_number_with_another_rate_holds_no_inbox_up(cast: Cast, admin_client: Client) -> None:
    thread = cast.thread()
    Thread.objects.update(needs_reply=False)  # so that deciding anew would show
    number = Number.objects.get(inbox=cast.front_desk)
    form = {"account": cast.account.pk, "inbox": cast.front_desk.pk, "segments_per_second": "3"}
    path = f"/admin/messaging/number/{number.pk}/change/"
    before = Inbox.objects.get(pk=cast.front_desk.pk).seq
    assert admin_client.post(path, form).status_code == 302
    assert Inbox.objects.get(pk=cast.front_desk.pk).seq > before, "open pages follow"
    assert not Thread.objects.get(pk=thread.pk).needs_reply


def test_a_number_that_comes_leaves_the_threads_of_others_alone(cast: Cast) -> None:
    cast.thread()
    Thread.objects.update(needs_reply=False)
    follow_number(inbox_id=cast.front_desk.pk, our_addresses=[SPARE])
    assert not Thread.objects.get().needs_reply
    follow_number(inbox_id=cast.front_desk.pk, our_addresses=[SPARE, FRONT_DESK])
    assert Thread.objects.get().needs_reply


def test_one_contact_is_found_by_the_index_however_large_the_inbox_is(cast: Cast) -> None:
    contacts = Contact.objects.bulk_create(
        Contact(inbox=cast.front_desk, address=f"+1202556{at:04}", kind="number")
        for at in range(1000)
    )
    Thread.objects.bulk_create(
        Thread(inbox=cast.front_desk, contact=contact, our_address=FRONT_DESK, seq=1)
        for contact in contacts
    )
    with CaptureQueriesContext(connection) as captured:
        record_opt_out(our_address=FRONT_DESK, address=CUSTOMER)
    [update] = [one["sql"] for one in captured if "NOT threads_thread.needs_reply" in one["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE threads_contact, threads_thread")
        cursor.execute(f"EXPLAIN {update}")
        plan = " ".join(line for (line,) in cursor.fetchall())
    assert "Index Cond: ((inbox_id = " in plan, plan
    assert "Seq Scan on threads_" not in plan, plan


@pytest.mark.django_db(transaction=True)
async def test_an_opt_out_takes_the_row_out_of_an_open_list(cast: Cast, opened: Opener) -> None:
    thread = await in_database(cast.thread)()
    page = await opened(cast.ana, f"/inboxes/{cast.front_desk.pk}/?only=reply")
    assert f"thread-{thread.pk}" in page.placed
    await in_database(record_opt_out)(our_address=FRONT_DESK, address=CUSTOMER)
    await page.receive_until_idle()
    assert f"thread-{thread.pk}" not in page.placed


def test_a_tapback_does_not_overtake_a_stop_that_was_found_late(cast: Cast) -> None:
    thread = cast.thread()
    first = Message.objects.get(thread=thread)
    cast.text_in("Liked \u201cHello\u201d")
    Message.objects.filter(thread=thread, pk__gt=first.pk).update(reaction="\U0001f44d")
    find_late(cast, "STOP", first)
    record_opt_out(our_address=FRONT_DESK, address=CUSTOMER)
    end_opt_out(opt_out=OptOut.objects.get())
    thread.refresh_from_db()
    assert not thread.needs_reply
