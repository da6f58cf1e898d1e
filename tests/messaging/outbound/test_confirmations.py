"""One text confirms an opt-out where the carrier sends none, and nothing else follows a STOP."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from messaging.carriers import CARRIERS, events, get_carrier, results
from messaging.inbound.receiving import store_late_text, store_text
from messaging.models import Attempt, CarrierAccount, Message, Number, OptOut
from messaging.outbound.automatic import CONFIRMATION
from messaging.outbound.delivery import write_outcome
from messaging.outbound.opt_outs import record_opt_out
from messaging.outbound.sending import SendingRefused, retry_message
from messaging.stream import segments
from tests.cast import CUSTOMER, DISPATCH, FRONT_DESK, Cast, client_of
from tests.far_end_client import FarEnd, far_end
from tests.messaging.stepped_worker import carrier, end_waits, run_jobs
from threads.models import Thread

__all__ = ["carrier", "far_end"]

# Twilio confirms STOP itself, and does not understand this.
POLITE = "Please stop"
_ids = itertools.count(1)


def automatic_texts() -> list[str]:
    return list(
        Message.objects.filter(is_automatic=True).order_by("pk").values_list("body", flat=True)
    )


def text_in(
    cast: Cast, body: str, *, keyword: events.Keyword | None = None, minutes_ago: float = 0
) -> Message:
    """Store a text that was sent so long ago by the carrier's clock."""
    text = events.InboundText(
        f"SM-confirm-{next(_ids)}",
        CUSTOMER,
        FRONT_DESK,
        body,
        sent_at=timezone.now() - timedelta(minutes=minutes_ago),
        keyword=keyword,
    )
    with transaction.atomic():
        return store_text(text, account=cast.account)


def test_whoever_asks_for_no_more_texts_gets_one_confirmation_and_nothing_after_it(
    carrier: FarEnd, cast: Cast
) -> None:
    thread = cast.thread()
    waiting = cast.answer(thread, "On its way")
    cast.text_in(POLITE)
    run_jobs()
    [sent] = carrier.ledger()
    assert (sent["body"], sent["to"]) == (CONFIRMATION, CUSTOMER)
    waiting.refresh_from_db()
    assert waiting.state == "failed"
    confirmation = Message.objects.get(is_automatic=True)
    assert (confirmation.state, confirmation.thread, confirmation.author) == (
        "sent",
        thread,
        None,
    )
    assert Attempt.objects.filter(message=confirmation).count() == 1
    assert OptOut.objects.get().confirmation == confirmation
    with pytest.raises(SendingRefused):
        cast.answer(thread, "One more thing")
    for again in (POLITE, "STOP", "opt out"):
        cast.text_in(again)
    run_jobs()
    assert len(carrier.ledger()) == 1


def test_the_confirmation_shows_as_automatic(cast: Cast) -> None:
    thread = cast.text_in(POLITE).thread
    page = client_of(cast.ana).get(f"/threads/{thread.pk}/").content.decode()
    assert 'class="author">Automatic<' in page
    assert "unsubscribed and will get no more texts" in page


def test_a_confirmation_that_failed_cannot_be_sent_again_by_hand(cast: Cast) -> None:
    cast.text_in(POLITE)
    confirmation = Message.objects.get(is_automatic=True)
    Message.objects.filter(pk=confirmation.pk).update(state="failed")
    with pytest.raises(SendingRefused, match="This confirms an opt-out"):
        retry_message(message=confirmation)
    cast.text_in("START")
    with pytest.raises(SendingRefused, match="This confirms an opt-out"):
        retry_message(message=confirmation)


def test_a_confirmation_that_failed_offers_nothing_and_is_in_no_list(cast: Cast) -> None:
    thread = cast.text_in(POLITE).thread
    confirmation = Message.objects.get(is_automatic=True)
    attempt = Attempt.objects.create(message=confirmation, account=cast.account, ordinal=1)
    Message.objects.filter(pk=confirmation.pk).update(state="sending")
    write_outcome(attempt, results.Rejected("30003", "bad_address", "No such number."))
    confirmation.refresh_from_db()
    assert (confirmation.state, confirmation.unseen_failure) == ("failed", "")
    assert not Thread.objects.failing().exists()
    page = client_of(cast.ana).get(f"/threads/{thread.pk}/").content.decode()
    assert "is-failed" in page
    assert "may not have arrived. You don" in page
    assert "etry" not in confirmation.reason
    assert ">Retry<" not in page
    assert ">Mark as seen<" not in page


def test_a_confirmation_that_counts_since_before_an_upgrade_can_be_seen(cast: Cast) -> None:
    thread = cast.text_in(POLITE).thread
    Message.objects.filter(is_automatic=True).update(state="failed", unseen_failure="failed")
    page = client_of(cast.ana).get(f"/threads/{thread.pk}/").content.decode()
    assert ">Retry<" not in page
    assert ">Mark as seen<" in page


def test_a_confirmation_that_waited_five_minutes_does_not_go_any_more(
    carrier: FarEnd, cast: Cast
) -> None:
    cast.text_in(POLITE)
    OptOut.objects.update(since=timezone.now() - timedelta(minutes=5))
    run_jobs()
    assert not carrier.ledger()
    confirmation = Message.objects.get(is_automatic=True)
    assert (confirmation.state, "opted out" in confirmation.reason) == ("failed", True)


def test_it_goes_on_a_second_try_within_the_five_minutes(carrier: FarEnd, cast: Cast) -> None:
    carrier.plan({"kind": "throttle", "retry_after": 1})
    cast.text_in(POLITE)
    run_jobs()
    end_waits()
    run_jobs()
    assert [sent["body"] for sent in carrier.ledger()][-1] == CONFIRMATION
    assert Message.objects.get(is_automatic=True).state == "sent"


def test_each_new_opt_out_is_confirmed_once(cast: Cast) -> None:
    for body in (POLITE, "START", POLITE):
        cast.text_in(body)
    assert automatic_texts() == [CONFIRMATION, CONFIRMATION]


def test_after_a_start_no_confirmation_says_the_opposite(carrier: FarEnd, cast: Cast) -> None:
    cast.text_in(POLITE)
    cast.text_in("START")
    run_jobs()
    assert not carrier.ledger()
    confirmation = Message.objects.get(is_automatic=True)
    assert (confirmation.state, confirmation.unseen_failure) == ("failed", "")
    assert "had ended before it could leave" in confirmation.reason


def test_a_second_stop_is_confirmed_and_the_first_one_no_more(carrier: FarEnd, cast: Cast) -> None:
    for body in (POLITE, "START", POLITE):
        cast.text_in(body)
    run_jobs()
    states = Message.objects.filter(is_automatic=True).order_by("pk")
    assert list(states.values_list("state", flat=True)) == ["failed", "sent"]


def test_another_opt_out_for_all_numbers_keeps_a_confirmation_back(
    carrier: FarEnd, cast: Cast
) -> None:
    cast.text_in(POLITE)
    OptOut.objects.create(
        our_address=DISPATCH,
        address=CUSTOMER,
        is_for_all=True,
        source=OptOut.Source.KEYWORD,
        since=timezone.now() - timedelta(days=1),
    )
    run_jobs()
    assert not carrier.ledger()
    assert Message.objects.get(is_automatic=True).state == "failed"


@pytest.mark.parametrize("minutes_ago", [5, 60])
def test_a_stop_that_came_late_is_not_confirmed(cast: Cast, minutes_ago: int) -> None:
    text_in(cast, POLITE, minutes_ago=minutes_ago)
    assert OptOut.objects.exists()
    assert automatic_texts() == []


def test_a_stop_that_was_found_afterwards_is_not_confirmed(cast: Cast) -> None:
    now = timezone.now()
    text = events.InboundText("SM-late", CUSTOMER, FRONT_DESK, POLITE, sent_at=now)
    assert store_late_text(text, account=cast.account, arrived_at=now)
    assert OptOut.objects.exists()
    assert automatic_texts() == []


def test_what_the_carrier_answered_itself_is_not_answered_again(cast: Cast) -> None:
    text_in(cast, "BASTA", keyword="opt_out")
    assert OptOut.objects.get().source == "keyword"
    assert automatic_texts() == []


def test_a_refusal_and_what_people_record_are_not_confirmed(cast: Cast) -> None:
    record_opt_out(our_address=FRONT_DESK, address=CUSTOMER)
    assert automatic_texts() == []


def test_whoever_is_opted_out_already_gets_no_confirmation(cast: Cast) -> None:
    record_opt_out(our_address=FRONT_DESK, address=CUSTOMER)
    cast.text_in(POLITE)
    assert automatic_texts() == []


def test_a_name_cannot_be_answered(cast: Cast) -> None:
    cast.text_in("STOP please", sender="PARCELBOX")
    assert automatic_texts() == []


@pytest.mark.parametrize("sender", ["88811", CUSTOMER])
def test_an_account_that_is_switched_off_confirms_nothing(cast: Cast, sender: str) -> None:
    CarrierAccount.objects.update(is_active=False)
    cast.text_in(POLITE, sender=sender)
    assert automatic_texts() == []


# What each carrier's documents say it confirms itself; docs/carriers.md has their addresses.
CONFIRMED = {
    "twilio": "STOP StopAll unsubscribe CANCEL end quit revoke OPTOUT",
    "telnyx": "STOP stopall UNSUBSCRIBE cancel end quit",
    "plivo": "Stop end QUIT",
    "bandwidth": "",
    "vonage": "",
    "signalwire": "",
    "simulator": "",
}


@pytest.mark.parametrize("name", CONFIRMED)
def test_each_carriers_own_confirmation_is_left_to_it(cast: Cast, name: str) -> None:
    CarrierAccount.objects.update(carrier=name)
    cast.account.refresh_from_db()
    for word in ["STOP", "StopAll", "unsubscribe", "CANCEL", "end", "quit", "REVOKE", "opt out"]:
        sender = f"+1202555{next(_ids):04d}"
        cast.text_in(word, sender=sender)
        answers = Message.objects.filter(is_automatic=True, thread__contact__address=sender)
        is_theirs = word.lower() in CONFIRMED[name].lower().split()
        assert answers.count() == (0 if is_theirs else 1), word


def test_the_table_knows_every_carrier() -> None:
    assert set(CONFIRMED) == set(CARRIERS)


@pytest.mark.parametrize("name", sorted(CONFIRMED))
def test_the_network_confirms_a_stop_to_a_toll_free_number_for_every_carrier(name: str) -> None:
    adapter = get_carrier(name)
    for number in ("+18005550110", "+18335550110", "+18885550110"):
        assert adapter.confirms_opt_out("stop", number)
        assert not adapter.confirms_opt_out("opt out", number)


def test_twilio_leaves_the_answers_of_a_short_code_to_us() -> None:
    assert get_carrier("twilio").confirms_opt_out("stop", "+12025550110")
    assert not get_carrier("twilio").confirms_opt_out("stop", "72645")


def test_outside_north_america_plivo_answers_nothing() -> None:
    plivo = get_carrier("plivo")
    assert plivo.confirms_opt_out("stop", "+12025550110")
    assert plivo.answers_help_to("+12025550110")
    assert not plivo.confirms_opt_out("stop", "+442071838750")
    assert not plivo.answers_help_to("+442071838750")


def test_an_administrator_chooses_the_words_of_an_inbox_or_none(cast: Cast) -> None:
    admin = client_of(cast.admin)
    change = reverse("admin:inboxes_inbox_change", args=[cast.front_desk.pk])
    page = admin.get(change).content.decode()
    assert 'name="confirms_opt_outs"' in page
    assert 'name="opt_out_text"' in page
    form = {
        "name": "Front Desk",
        "help_text": "",
        "opt_out_text": "Brandt Repairs: no more texts. START resumes.",
        "confirms_opt_outs": "on",
        "memberships-TOTAL_FORMS": "0",
        "memberships-INITIAL_FORMS": "0",
        "labels-TOTAL_FORMS": "0",
        "labels-INITIAL_FORMS": "0",
    }
    assert admin.post(change, form).status_code == 302
    cast.text_in(POLITE)
    assert automatic_texts() == ["Brandt Repairs: no more texts. START resumes."]
    del form["confirms_opt_outs"]
    assert admin.post(change, form).status_code == 302
    cast.text_in(POLITE, sender="+12025550169")
    assert len(automatic_texts()) == 1
    assert OptOut.objects.filter(address="+12025550169").exists()


def test_a_personal_line_confirms_too(cast: Cast) -> None:
    cast.text_in(POLITE, to=Number.objects.get(inbox=cast.anas_line).address)
    assert automatic_texts() == [CONFIRMATION]


def test_the_words_fit_into_one_segment() -> None:
    assert segments.count_segments(CONFIRMATION).count == 1


def test_another_automatic_text_does_not_follow_a_stop(carrier: FarEnd, cast: Cast) -> None:
    cast.text_in(POLITE)
    confirmation = Message.objects.get(is_automatic=True)
    OptOut.objects.update(confirmation=None)  # so that this one is any other automatic text
    run_jobs()
    assert not carrier.ledger()
    confirmation.refresh_from_db()
    assert confirmation.state == "failed"
