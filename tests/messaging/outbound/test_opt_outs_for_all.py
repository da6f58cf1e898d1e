"""A setting makes one opt-out count for all our numbers; it ends as widely as it was made."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from inboxes.models import Inbox
from messaging.carriers import results
from messaging.models import Attempt, OptOut, OptOutSettings
from messaging.outbound import delivery, opt_outs
from messaging.outbound.automatic import CONFIRMATION_FOR_ALL
from messaging.outbound.opt_outs import end_opt_outs_of_thread, record_opt_out
from messaging.outbound.sending import SendingRefused
from messaging.stream.refusals import find_refusal, find_refusals
from tests.cast import CUSTOMER, DISPATCH, FRONT_DESK, Cast, client_of
from tests.messaging.stepped_worker import run_jobs
from threads.models import Thread


@pytest.fixture
def for_all(cast: Cast) -> None:
    OptOutSettings(is_for_all=True).save()


def threads_of(cast: Cast) -> tuple[Thread, Thread]:
    return cast.thread(), cast.thread(to=DISPATCH)


@pytest.mark.usefixtures("for_all")
def test_one_stop_keeps_the_texts_of_all_numbers_back(cast: Cast) -> None:
    front_desk, dispatch = threads_of(cast)
    cast.text_in("STOP")
    for thread in (front_desk, dispatch):
        assert "opted out of texts from all our numbers" in find_refusal(thread)
        with pytest.raises(SendingRefused, match="opted out"):
            cast.answer(thread, "Hello")
        page = client_of(cast.ana).get(f"/threads/{thread.pk}/").content.decode()
        assert "opted out of texts from all our numbers" in page
    assert len(find_refusals([front_desk, dispatch])) == 2
    assert OptOut.objects.count() == 1


@pytest.mark.usefixtures("for_all")
def test_a_start_to_any_number_ends_it_everywhere(cast: Cast) -> None:
    front_desk, dispatch = threads_of(cast)
    cast.text_in("STOP")
    assert cast.text_in("START", to=DISPATCH).keyword == "opt_in"
    for thread in (front_desk, dispatch):
        assert cast.answer(thread, "Welcome back").state == "queued"
    row = OptOut.objects.get()
    assert (row.ended_how, row.end_message is not None) == ("keyword", True)


@pytest.mark.usefixtures("for_all")
def test_a_stop_to_another_number_adds_nothing(cast: Cast) -> None:
    threads_of(cast)
    cast.text_in("STOP")
    cast.text_in("Please stop", to=DISPATCH)
    assert OptOut.objects.count() == 1


def test_a_stop_that_is_repeated_counts_as_widely_as_stops_count_now(
    cast: Cast, django_capture_on_commit_callbacks: object
) -> None:
    _, dispatch = threads_of(cast)
    cast.text_in("STOP")
    OptOutSettings(is_for_all=True).save()
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        cast.text_in("STOP")
    assert "opted out of texts from all our numbers" in find_refusal(dispatch)
    dispatch.refresh_from_db()
    assert not dispatch.needs_reply
    assert OptOut.objects.count() == 1
    known = record_opt_out(our_address=FRONT_DESK, address=CUSTOMER)
    assert known.is_for_all


@pytest.mark.django_db(transaction=True)
def test_a_job_tells_the_other_inbox_if_nobody_could_at_once(
    cast: Cast, for_all: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, dispatch = threads_of(cast)

    def break_off(**_: object) -> None:
        raise OSError("The process was ended.")

    with monkeypatch.context() as ending:
        ending.setattr(opt_outs, "show_opt_out_elsewhere", break_off)
        assert cast.text_in("STOP").keyword == "opt_out"
        assert Thread.objects.get(pk=dispatch.pk).needs_reply
    before = Inbox.objects.get(pk=cast.dispatch.pk).seq
    run_jobs()
    dispatch.refresh_from_db()
    assert not dispatch.needs_reply
    assert dispatch.seq == Inbox.objects.get(pk=cast.dispatch.pk).seq > before


@pytest.mark.usefixtures("for_all")
def test_others_are_still_written_to(cast: Cast) -> None:
    threads_of(cast)
    cast.text_in("STOP")
    other = cast.text_in("Hello", sender="+12025550160", to=DISPATCH).thread
    assert cast.answer(other, "Hello").state == "queued"


@pytest.mark.usefixtures("for_all")
def test_a_new_conversation_from_another_number_is_refused_beside_the_field(cast: Cast) -> None:
    cast.text_in("STOP")
    query = f"inbox={cast.dispatch.pk}&to=%2B{CUSTOMER[1:]}"
    about = client_of(cast.ana).get(f"/start/to/?{query}", headers={"hx-request": "true"})
    assert "opted out of texts from all our numbers" in about.content.decode()


@pytest.mark.usefixtures("for_all")
def test_the_confirmation_says_that_it_is_for_all(cast: Cast) -> None:
    thread = cast.text_in("Please stop").thread
    assert thread.messages.get(is_automatic=True).body == CONFIRMATION_FOR_ALL


@pytest.mark.usefixtures("for_all")
def test_what_a_member_records_counts_for_all_and_ends_for_all(cast: Cast) -> None:
    front_desk, dispatch = threads_of(cast)
    record_opt_out(our_address=FRONT_DESK, address=CUSTOMER, source=OptOut.Source.MEMBER)
    assert find_refusal(dispatch)
    assert end_opt_outs_of_thread(thread=dispatch, by=cast.ana, reason="They called.")
    assert not find_refusal(front_desk)


@pytest.mark.usefixtures("for_all")
def test_a_queued_text_of_another_number_does_not_leave(cast: Cast) -> None:
    _, dispatch = threads_of(cast)
    queued = cast.answer(dispatch, "On its way")
    cast.text_in("STOP")
    delivery.deliver_thread(dispatch.pk)
    queued.refresh_from_db()
    assert queued.state == "failed"
    assert not Attempt.objects.exists()


@pytest.mark.usefixtures("for_all")
def test_a_carriers_refusal_older_than_a_start_elsewhere_is_ignored(cast: Cast) -> None:
    front_desk, _ = threads_of(cast)
    message = cast.answer(front_desk, "Hello")
    attempt = Attempt.objects.create(message=message, ordinal=1, account=cast.account)
    cast.text_in("STOP", to=DISPATCH)
    cast.text_in("START", to=DISPATCH)
    delivery.write_outcome(attempt, results.OptedOut("21610", ""))
    assert not OptOut.objects.current().exists()


@pytest.mark.django_db(transaction=True)
def test_the_other_inboxs_open_pages_are_told(cast: Cast, for_all: None) -> None:
    threads_of(cast)
    before = (cast.dispatch.seq, cast.front_desk.seq)
    for body in ("STOP", "START"):
        cast.dispatch.refresh_from_db()
        earlier = cast.dispatch.seq
        cast.text_in(body)
        cast.dispatch.refresh_from_db()
        assert cast.dispatch.seq > earlier
    assert before < (cast.dispatch.seq, cast.front_desk.seq)


def test_without_the_setting_a_stop_is_about_one_number(cast: Cast) -> None:
    _, dispatch = threads_of(cast)
    cast.text_in("STOP")
    assert not find_refusal(dispatch)


def test_each_opt_out_keeps_the_width_that_it_was_made_with(cast: Cast) -> None:
    front_desk, dispatch = threads_of(cast)
    cast.text_in("STOP")
    OptOutSettings(is_for_all=True).save()
    assert not find_refusal(dispatch)
    cast.text_in("START", to=DISPATCH)
    assert find_refusal(front_desk)
    cast.text_in("START")
    cast.text_in("STOP")
    OptOutSettings(is_for_all=False).save()
    assert find_refusal(dispatch)
    cast.text_in("START", to=DISPATCH)
    assert not find_refusal(front_desk)
    assert OptOut.objects.filter(since__gt=timezone.now() - timedelta(minutes=1)).count() == 2


def test_an_administrator_finds_the_setting_beside_the_opt_outs_and_its_change_is_logged(
    cast: Cast,
) -> None:
    admin = client_of(cast.admin)
    assert "Opt-out settings" in admin.get(reverse("admin:index")).content.decode()
    page = admin.get(reverse("admin:messaging_optoutsettings_changelist"), follow=True)
    assert "One opt-out counts for all our numbers" in page.content.decode()
    change = reverse("admin:messaging_optoutsettings_change", args=[1])
    assert admin.post(change, {"is_for_all": "on"}).status_code == 302
    assert OptOutSettings.current().is_for_all
    assert LogEntry.objects.get().user == cast.admin
    assert admin.get(reverse("admin:messaging_optoutsettings_add")).status_code == 403
    assert client_of(cast.ana).get(change).status_code in (302, 403)
