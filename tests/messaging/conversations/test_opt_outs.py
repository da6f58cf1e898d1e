"""Members record an opt-out that they learned of, end one, and see who did what and why."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from inboxes.models import Inbox
from messaging.models import Message, Number, OptOut, OptOutSettings
from messaging.outbound.opt_outs import record_opt_out
from messaging.outbound.sending import SendingRefused
from messaging.stream.refusals import find_refusal
from messaging.stream.wishes import find_wishes
from tests.cast import CUSTOMER, DISPATCH, FRONT_DESK, Cast, client_of
from tests.markup import read_words
from threads.models import Thread


def page_of(client: Client, thread: Thread, path: str = "") -> str:
    return client.get(f"/threads/{thread.pk}/{path}").content.decode()


def record(client: Client, thread: Thread, **form: object) -> Any:
    return client.post(f"/threads/{thread.pk}/opt-out/", form)


def end(client: Client, thread: Thread, **form: object) -> Any:
    return client.post(f"/threads/{thread.pk}/opt-out/end/", form)


def test_an_agent_who_is_asked_by_phone_records_it_in_the_thread(cast: Cast) -> None:
    thread, ben = cast.thread(), client_of(cast.ben)
    answer = record(ben, thread, how="phone", details="No more reminders")
    assert (answer.status_code, answer.url) == (302, f"/threads/{thread.pk}/")
    row = OptOut.objects.get()
    assert (row.our_address, row.address, row.source) == (FRONT_DESK, CUSTOMER, "member")
    assert (row.recorded_by, row.reason) == (
        cast.ben,
        "Asked by phone: No more reminders",
    )
    assert row.message is None
    page = page_of(client_of(cast.ana), thread)
    assert "as Ben Okafor recorded" in page
    assert "End opt-out…" in page
    with pytest.raises(SendingRefused, match="opted out"):
        cast.answer(thread, "Hello")


def test_the_record_shows_who_when_how_and_why_also_after_its_end(cast: Cast) -> None:
    thread, ben = cast.thread(), client_of(cast.ben)
    record(ben, thread, how="phone", details="No more reminders")
    assert end(client_of(cast.cho), thread, reason="Called back, wants them").status_code == 302
    assert not find_refusal(thread)
    row = OptOut.objects.get()
    assert (row.ended_how, row.ended_by, row.end_reason) == (
        "member",
        cast.cho,
        "Called back, wants them",
    )
    shown = page_of(client_of(cast.ana), thread, "opt-out/")
    for words in (
        "Recorded by Ben Okafor: Asked by phone: No more reminders",
        "Ended by Cho Park: Called back, wants them",
        "Opted out",
        "<time",
    ):
        assert words in shown


def test_a_stop_and_a_start_show_the_texts_that_made_them(cast: Cast) -> None:
    stop = cast.text_in("STOP")
    start = cast.text_in("START")
    row = OptOut.objects.get()
    assert (row.message, row.end_message, row.ended_how) == (stop, start, "keyword")
    shown = page_of(client_of(cast.ana), stop.thread, "opt-out/")
    assert "They texted it" in shown
    assert "They texted START" in shown
    for message in (stop, start):
        assert f'href="/threads/{stop.thread_id}/?at={message.pk}"' in shown


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "Choose how they asked."),
        ({"how": "pigeon"}, "Choose how they asked."),
        ({"how": "other", "details": " "}, "Say how they asked."),
        ({"how": "other", "details": "\u200b"}, "Say how they asked."),
        ({"how": "phone", "details": "x" * 201}, "at most 200 characters"),
        ({"how": "phone", "details": "a\x00b"}, "can't be saved"),
    ],
)
def test_bad_input_is_answered_beside_the_field(
    cast: Cast, form: dict[str, str], error: str
) -> None:
    thread = cast.thread()
    answer = record(client_of(cast.ben), thread, **form)
    assert answer.status_code == 422
    assert error in read_words(answer)
    assert not OptOut.objects.exists()


@pytest.mark.parametrize(
    ("reason", "error"),
    [
        ("", "Say why you can text them again."),
        ("\u200b ", "Say why you can text them again."),
        ("x" * 201, "at most 200 characters"),
    ],
)
def test_an_end_asks_for_a_reason(cast: Cast, reason: str, error: str) -> None:
    thread = cast.text_in("STOP").thread
    answer = end(client_of(cast.ben), thread, reason=reason)
    assert answer.status_code == 422
    assert error in answer.content.decode()
    assert find_refusal(thread)


def test_the_same_form_twice_is_one_opt_out_and_one_end(cast: Cast) -> None:
    thread, ben = cast.thread(), client_of(cast.ben)
    for _ in range(2):
        assert record(ben, thread, how="person").status_code == 302
    assert OptOut.objects.get().reason == "Asked in person"
    for _ in range(2):
        assert end(ben, thread, reason="They said so").status_code == 302
    assert OptOut.objects.count() == 1


def test_what_a_member_ends_is_over_even_if_a_stop_or_the_carrier_made_it(cast: Cast) -> None:
    thread = cast.text_in("STOP").thread
    assert end(client_of(cast.ana), thread, reason="They called").status_code == 302
    assert cast.answer(thread, "Hello").state == "queued"


def test_a_long_text_with_such_a_wish_offers_to_record_it_and_keeps_which_text_it_was(
    cast: Cast,
) -> None:
    text = cast.text_in("please don't text me any more")
    ben = client_of(cast.ben)
    for path in ("", "composer/"):
        assert "Their last text may be asking you to stop." in page_of(ben, text.thread, path)
    form = page_of(ben, text.thread, f"opt-out/?message={text.pk}")
    assert f'name="message" value="{text.pk}"' in form
    assert '<option value="text" selected>' in form
    record(ben, text.thread, how="text", message=text.pk)
    assert OptOut.objects.get().message == text
    assert "may be asking you to stop" not in page_of(ben, text.thread)


def test_the_offer_goes_once_the_text_is_answered_and_never_acts_by_itself(cast: Cast) -> None:
    text = cast.text_in("stop by at 5")
    assert find_wishes([text.thread_id]) == {text.thread_id: text.pk}
    assert not OptOut.objects.exists()
    cast.note(text.thread, "Does he mean us?")
    assert find_wishes([text.thread_id])
    cast.answer(text.thread, "See you at 5")
    assert not find_wishes([text.thread_id])
    cast.text_in("Stop by at 6 rather")
    assert find_wishes([text.thread_id])
    cast.text_in("Thanks")
    assert not find_wishes([text.thread_id])


def test_a_text_of_another_thread_is_not_taken_for_the_one_that_asked(cast: Cast) -> None:
    foreign = cast.text_in("please do not text me any more", to=DISPATCH)
    thread = cast.thread()
    form = page_of(client_of(cast.cho), thread, f"opt-out/?message={foreign.pk}")
    assert 'name="message" value=""' in form
    record(client_of(cast.cho), thread, how="text", message=foreign.pk)
    assert OptOut.objects.get().message is None


def test_another_inboxs_words_and_texts_are_not_shown(cast: Cast) -> None:
    OptOutSettings(is_for_all=True).save()
    text, thread = cast.text_in("Hi", to=DISPATCH), cast.thread()
    record_opt_out(
        our_address=DISPATCH,
        address=CUSTOMER,
        source=OptOut.Source.MEMBER,
        by=cast.ana,
        reason="Fell out with Dispatch",
        message=text,
    )
    cho = client_of(cast.cho)
    shown = page_of(cho, thread, "opt-out/")
    assert "Opted out from all our numbers" in shown
    assert "Recorded by a colleague" in shown
    assert "as a colleague recorded" in page_of(cho, thread)
    end(client_of(cast.ana), text.thread, reason="Made up with Dispatch")
    ended = page_of(cho, thread, "opt-out/")
    assert "Ended by a colleague" in ended
    for page in (shown, ended, page_of(cho, thread)):
        assert not [
            words
            for words in (
                "Ana Ruiz recorded",
                "by Ana Ruiz",
                "Fell out",
                "Made up",
                f"at={text.pk}",
            )
            if words in page
        ]
    own = page_of(client_of(cast.ana), text.thread, "opt-out/")
    assert "Recorded by Ana Ruiz: Fell out with Dispatch" in own
    assert "Ended by Ana Ruiz: Made up with Dispatch" in own


def test_a_number_that_moves_takes_nobodys_words_to_its_next_inbox(cast: Cast) -> None:
    before = cast.text_in("Hi", to=DISPATCH).thread
    record(client_of(cast.ana), before, how="phone", details="Fell out with Dispatch")
    other = Inbox.objects.create(name="Legal")
    Number.objects.filter(address=FRONT_DESK).update(inbox=other)
    Number.objects.filter(address=DISPATCH).update(inbox=cast.front_desk)
    after = cast.text_in("Hi again", to=DISPATCH).thread
    assert after.inbox_id == cast.front_desk.pk
    shown = page_of(client_of(cast.cho), after, "opt-out/")
    assert "Recorded by a colleague" in shown
    assert "Fell out" not in shown
    end(client_of(cast.cho), after, reason="They called")
    assert "Ended by Cho Park: They called" in page_of(client_of(cast.cho), after, "opt-out/")
    there = page_of(client_of(cast.ana), before, "opt-out/")
    assert "Recorded by Ana Ruiz: Asked by phone: Fell out with Dispatch" in there
    assert "They called" not in there


def test_a_stranger_can_neither_see_nor_record_nor_end_one(cast: Cast) -> None:
    thread, dov = cast.text_in("STOP").thread, client_of(cast.dov)
    assert dov.get(f"/threads/{thread.pk}/opt-out/").status_code == 404
    assert record(dov, thread, how="phone").status_code == 404
    assert end(dov, thread, reason="Because").status_code == 404
    assert OptOut.objects.get().ended_at is None


def test_a_name_has_no_such_option(cast: Cast) -> None:
    thread = cast.text_in("Your parcel is here", sender="PARCELBOX").thread
    assert "Record opt-out" not in page_of(client_of(cast.ana), thread)


def test_what_a_member_records_sends_nothing(cast: Cast) -> None:
    thread = cast.thread()
    record(client_of(cast.ben), thread, how="phone")
    assert not Message.objects.filter(is_automatic=True).exists()
