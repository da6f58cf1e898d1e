"""Send no text to a contact who texted STOP, until they text START."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from messaging.carriers import events, get_carrier, results
from messaging.inbound.receiving import store_text
from messaging.models import Attempt, CarrierAccount, Message, Number, OptOut
from messaging.outbound import delivery
from messaging.outbound.opt_outs import end_opt_out, record_opt_out
from messaging.outbound.receipts import apply_receipt
from messaging.outbound.sending import SendingRefused, retry_message
from messaging.stream.keywords import find_keyword
from messaging.stream.refusals import find_refusal
from tests.cast import CUSTOMER, DISPATCH, FRONT_DESK, Cast, client_of
from tests.far_end_client import FarEnd, far_end
from threads.models import Thread

__all__ = ["far_end"]

STOP_WORDS = [
    "STOP",
    "STOPALL",
    "STOP ALL",
    "UNSUBSCRIBE",
    "CANCEL",
    "END",
    "QUIT",
    "REVOKE",
    "OPTOUT",
]


@pytest.fixture
def account_without_help(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> CarrierAccount:
    """Return Front Desk's account, whose carrier leaves HELP to us."""
    monkeypatch.setattr(type(get_carrier("twilio")), "answers_help", False)
    cast.front_desk.help_text = "Front Desk of Brandt Repairs. Call (202) 555-0110. STOP ends."
    cast.front_desk.save()
    return cast.account


def automatic_texts() -> list[str]:
    return list(Message.objects.filter(is_automatic=True).values_list("body", flat=True))


def open_opt_outs() -> list[tuple[str, str, str]]:
    rows = OptOut.objects.filter(ended_at=None).order_by("pk")
    return list(rows.values_list("our_address", "address", "source"))


@pytest.mark.parametrize("word", STOP_WORDS)
def test_each_word_opts_out_in_any_case_and_spacing(cast: Cast, word: str) -> None:
    for index, spelt in enumerate([word, word.lower(), f" \n{word.title()}\t "]):
        sender = f"+1202555016{index}"
        thread = cast.text_in(spelt, sender=sender).thread
        assert open_opt_outs()[-1] == (FRONT_DESK, sender, "keyword")
        assert find_refusal(thread).startswith(
            f"(202) 555-016{index} opted out of texts from (202)"
        )


@pytest.mark.parametrize(
    "words",
    ["Stop it", "stop by at 5", "end of the week", "stopp", "", "START"],
)
def test_other_words_are_for_people(cast: Cast, words: str) -> None:
    thread = cast.text_in(words).thread
    assert not open_opt_outs()
    assert find_refusal(thread) == ""


@pytest.mark.parametrize("word", ["START", "unstop", " Yes "])
def test_a_contact_can_opt_in_again_and_the_history_is_kept(cast: Cast, word: str) -> None:
    thread = cast.text_in("STOP").thread
    cast.text_in(word)
    assert find_refusal(thread) == ""
    row = OptOut.objects.get()
    assert row.ended_at is not None
    cast.text_in("stop")
    assert find_refusal(thread)
    assert OptOut.objects.count() == 2


def test_yes_is_an_ordinary_word_without_an_opt_out(cast: Cast) -> None:
    thread = cast.text_in("Yes").thread
    assert not OptOut.objects.exists()
    assert cast.answer(thread, "Good.").state == "queued"


def test_stop_twice_is_one_opt_out(cast: Cast) -> None:
    for word in ("STOP", "quit"):
        cast.text_in(word)
    assert OptOut.objects.count() == 1


def test_an_opt_out_is_about_one_of_our_numbers(cast: Cast) -> None:
    cast.text_in("STOP")
    other = cast.text_in("Hello", to=DISPATCH).thread
    assert cast.answer(other, "Hello to you").state == "queued"


def test_no_text_leaves_after_an_opt_out_but_internal_messages_are_possible(cast: Cast) -> None:
    thread = cast.thread()
    failed = cast.answer(thread, "Before")
    Message.objects.filter(pk=failed.pk).update(state="failed")
    cast.text_in("STOP")
    with pytest.raises(SendingRefused, match="opted out of texts"):
        cast.answer(thread, "After")
    with pytest.raises(SendingRefused, match="opted out of texts"):
        retry_message(message=failed)
    assert cast.note(thread, "Among us").kind == "internal"


def test_queued_texts_are_not_sent_after_a_stop(
    cast: Cast, far_end: FarEnd, settings: Settings
) -> None:
    settings.TWILIO_API_URL = far_end.url
    message = cast.answer(cast.thread(), "On its way")
    cast.text_in("STOP")
    delivery.deliver_thread(message.thread_id)
    message.refresh_from_db()
    assert (message.state, far_end.ledger()) == ("failed", [])
    assert "opted out" in message.reason
    assert not Attempt.objects.exists()


def test_the_refusal_fits_its_column(cast: Cast) -> None:
    thread = cast.text_in("STOP").thread
    sentence = find_refusal(thread)
    assert sentence.endswith("You can write to them again once they text START.")
    for source in OptOut.Source:
        OptOut.objects.update(source=source)
        assert len(find_refusal(thread)) < 255


def test_the_composer_says_so_before_anyone_types(cast: Cast) -> None:
    thread = cast.text_in("STOP").thread
    for path in (f"/threads/{thread.pk}/", f"/threads/{thread.pk}/composer/"):
        page = client_of(cast.ben).get(path).content.decode()
        assert "opted out of texts from (202) 555-0110 <time " in page
        assert "You can still write to your team." in page
        assert "data-only-internal" in page
    form = {"body": "Hi", "form_key": uuid.uuid4(), "is_internal": "false"}
    answer = client_of(cast.ben).post(f"/threads/{thread.pk}/messages/", form)
    assert answer.status_code == 422
    assert Message.objects.filter(body="Hi").count() == 0


def receive_keyword(cast: Cast, word: str, sent_at: datetime) -> None:
    """Store a keyword with the carrier's own time."""
    text = events.InboundText(f"SM-{word}-{sent_at}", CUSTOMER, FRONT_DESK, word, sent_at=sent_at)
    with transaction.atomic():
        store_text(text, account=cast.account)


def test_a_start_that_its_carrier_repeats_ends_no_newer_stop(cast: Cast) -> None:
    now, minute = timezone.now(), timedelta(minutes=1)
    receive_keyword(cast, "STOP", now - 9 * minute)
    receive_keyword(cast, "STOP", now - 5 * minute)
    receive_keyword(cast, "START", now - 4 * minute)
    receive_keyword(cast, "STOP", now - 2 * minute)
    receive_keyword(cast, "START", now - 3 * minute)  # we had answered 503 to its first try
    assert len(open_opt_outs()) == 1
    said = OptOut.objects.order_by("since").values_list("since", "ended_at")
    assert list(said) == [(now - 9 * minute, now - 4 * minute), (now - 2 * minute, None)]
    receive_keyword(cast, "START", now - minute)
    assert not open_opt_outs()


def test_a_carriers_clock_that_is_ahead_of_ours_makes_no_future_opt_out(cast: Cast) -> None:
    day = timedelta(days=1)
    receive_keyword(cast, "STOP", timezone.now() + day)
    assert OptOut.objects.get().since <= timezone.now()
    receive_keyword(cast, "START", timezone.now() + day)
    assert not open_opt_outs()


# Carriers


def begin_attempt(cast: Cast) -> Attempt:
    message = cast.answer(cast.thread(), "Hello")
    return Attempt.objects.create(message=message, ordinal=1, account=cast.account)


@pytest.mark.parametrize(
    "result",
    [results.OptedOut("21610", ""), results.Rejected("21610", "opted_out", "")],
    ids=["own", "class"],
)
def test_a_carriers_refusal_opts_the_contact_out(
    cast: Cast, result: results.OptedOut | results.Rejected
) -> None:
    attempt = begin_attempt(cast)
    delivery.write_outcome(attempt, result)
    assert open_opt_outs() == [(FRONT_DESK, CUSTOMER, "carrier")]
    assert "as the carrier told us" in find_refusal(attempt.message.thread)


def test_a_receipt_that_says_so_opts_the_contact_out(cast: Cast) -> None:
    attempt = begin_attempt(cast)
    delivery.write_outcome(attempt, results.Accepted("SM1"))
    receipt = events.Receipt("SM1", "failed", "21610", "opted_out")
    apply_receipt(account=cast.account, receipt=receipt, attempt_token=None)
    assert open_opt_outs() == [(FRONT_DESK, CUSTOMER, "carrier")]


def test_another_failure_opts_nobody_out(cast: Cast) -> None:
    attempt = begin_attempt(cast)
    delivery.write_outcome(attempt, results.Rejected("30003", "transient", ""))
    assert not OptOut.objects.exists()


def test_a_refusal_older_than_a_start_is_ignored(cast: Cast) -> None:
    attempt = begin_attempt(cast)
    cast.text_in("STOP")
    cast.text_in("START")
    delivery.write_outcome(attempt, results.OptedOut("21610", ""))
    assert not open_opt_outs()


# Help


@pytest.mark.parametrize("word", ["HELP", "info", " Help\n", "Aide", "help!"])
def test_help_is_answered_with_the_inboxs_text(
    cast: Cast, account_without_help: CarrierAccount, word: str
) -> None:
    thread = cast.text_in(word).thread
    answer = Message.objects.get(is_automatic=True)
    assert (answer.kind, answer.state, answer.author, answer.thread) == (
        "outbound",
        "queued",
        None,
        thread,
    )
    assert answer.body == cast.front_desk.help_text
    thread.refresh_from_db()
    assert thread.needs_reply
    assert thread.last_message_id == answer.pk
    page = client_of(cast.ana).get(f"/threads/{thread.pk}/").content.decode()
    assert 'class="author">Automatic<' in page
    assert 'aria-label="Automatic reply"' in page
    notifications = client_of(cast.ana).get("/notifications/").content.decode()
    assert "Automatic reply" in notifications


def test_repeated_help_is_answered_once_within_the_pause(
    cast: Cast, account_without_help: CarrierAccount
) -> None:
    for _ in range(3):
        cast.text_in("HELP")
    assert len(automatic_texts()) == 1
    cast.text_in("HELP", sender="+12025550160")
    assert len(automatic_texts()) == 2
    earlier = Message.objects.filter(is_automatic=True).first()
    assert earlier is not None
    before = earlier.created_at - timedelta(minutes=11)
    Message.objects.filter(pk=earlier.pk).update(created_at=before)
    cast.text_in("HELP")
    assert len(automatic_texts()) == 3


def test_help_is_not_answered_after_an_opt_out_or_to_a_name(
    cast: Cast, account_without_help: CarrierAccount
) -> None:
    cast.text_in("STOP")
    cast.text_in("HELP")
    cast.text_in("HELP", sender="PARCELBOX")
    assert automatic_texts() == []


def test_help_that_the_carrier_says_it_answered_is_not_answered_again(
    cast: Cast, account_without_help: CarrierAccount
) -> None:
    text = events.InboundText("SM-ayuda", CUSTOMER, FRONT_DESK, "AYUDA", keyword="help")
    with transaction.atomic():
        message = store_text(text, account=cast.account)
    assert message.keyword == "help"
    assert automatic_texts() == []


def test_an_inbox_without_a_help_text_stays_silent(
    cast: Cast, account_without_help: CarrierAccount
) -> None:
    cast.text_in("HELP", to=DISPATCH)
    assert automatic_texts() == []


def test_help_is_left_to_a_carrier_that_answers_it(
    cast: Cast, account_without_help: CarrierAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    assert get_carrier("twilio").answers_help
    cast.text_in("HELP")
    assert automatic_texts() == []


# Administrators


def test_an_administrator_records_and_ends_an_opt_out(cast: Cast) -> None:
    thread = cast.thread()
    opt_out = record_opt_out(our_address=FRONT_DESK, address=CUSTOMER)
    assert record_opt_out(our_address=FRONT_DESK, address=CUSTOMER) == opt_out
    assert "as an administrator recorded" in find_refusal(thread)
    cast.front_desk.refresh_from_db()
    before = cast.front_desk.seq
    assert end_opt_out(opt_out=opt_out) is True
    assert end_opt_out(opt_out=opt_out) is False
    cast.front_desk.refresh_from_db()
    assert cast.front_desk.seq > before
    assert find_refusal(thread) == ""


def test_the_administration_logs_opt_outs_that_it_records_and_ends(cast: Cast) -> None:
    admin, thread = client_of(cast.admin), cast.thread()
    add = reverse("admin:messaging_optout_add")
    number = Number.objects.get(address=FRONT_DESK)
    bad = admin.post(add, {"number": number.pk, "address": "nobody"})
    assert "a phone number. Enter it like" in bad.content.decode()
    form = {"number": number.pk, "address": "(202) 555-0177", "reason": "by letter"}
    assert admin.post(add, form).status_code == 302
    assert open_opt_outs() == [(FRONT_DESK, CUSTOMER, "administrator")]
    assert "as The Administrator recorded" in find_refusal(thread)
    row = OptOut.objects.get()
    assert (row.recorded_by, row.reason) == (cast.admin, "by letter")
    shown = admin.get(reverse("admin:messaging_optout_change", args=[row.pk])).content.decode()
    assert CUSTOMER in shown
    assert "by letter" in shown
    assert 'name="_save"' not in shown
    assert admin.post(reverse("admin:messaging_optout_delete", args=[row.pk])).status_code == 403
    listed = reverse("admin:messaging_optout_changelist")
    action = {"action": "end", "_selected_action": [row.pk]}
    assert "1 ended." in admin.post(listed, action, follow=True).content.decode()
    assert find_refusal(thread) == ""
    row.refresh_from_db()
    assert (row.ended_by, row.ended_how) == (cast.admin, "administrator")
    trace = LogEntry.objects.filter(object_id=str(row.pk)).order_by("pk")
    assert [entry.user for entry in trace] == [cast.admin, cast.admin]
    assert "Ended" in trace[1].change_message
    assert "0 ended." in admin.post(listed, action, follow=True).content.decode()


def test_the_help_text_is_edited_for_shared_inboxes(cast: Cast) -> None:
    admin = client_of(cast.admin)
    pages = [
        admin.get(reverse("admin:inboxes_inbox_change", args=[inbox.pk])).content.decode()
        for inbox in (cast.front_desk, cast.anas_line)
    ]
    assert ['name="help_text"' in page for page in pages] == [True, False]


def test_an_ordinary_text_makes_no_query_about_opt_outs(cast: Cast) -> None:
    cast.thread()
    with CaptureQueriesContext(
        connection,
    ) as plain:
        cast.text_in("How are you?")
    with CaptureQueriesContext(connection) as stop:
        cast.text_in("STOP")
    own = [q["sql"] for q in plain if q["sql"].startswith("SELECT")]
    assert not [sql for sql in own if "optout" in sql.lower()]
    assert [q for q in stop if "optout" in q["sql"].lower()]


def test_keywords_are_recognised_without_the_database() -> None:
    assert find_keyword("x" * 100_000) is None
    assert [find_keyword(word) for word in ("Stop", "Yes", "Help", "Helpful")] == [
        "opt_out",
        "opt_in",
        "help",
        None,
    ]


def test_a_number_that_moved_is_the_first_reason_for_a_refusal(cast: Cast) -> None:
    thread = cast.text_in("STOP").thread
    Number.objects.filter(inbox=cast.front_desk).delete()
    assert "no longer belongs to this inbox" in find_refusal(Thread.objects.get(pk=thread.pk))
