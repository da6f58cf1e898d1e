"""A name and a note for a number, shared in the inbox."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest
from channels.db import database_sync_to_async as in_database

from inboxes import bell
from inboxes.actions import announce_inbox
from inboxes.models import Agent
from messaging.contacts.describing import ChangedMeanwhile, ContactValues, describe_contact
from messaging.models import Number
from messaging.outbound.opt_outs import record_opt_out
from tests.cast import CUSTOMER, DISPATCH, FRONT_DESK, Cast, client_of
from tests.messaging.live.live_pages import LivePage, Opener
from threads import words
from threads.models import Contact, Thread


def save_contact(agent: Agent, thread: Thread, **form: str) -> Any:
    return client_of(agent).post(f"/threads/{thread.pk}/contact/", form)


def describe(cast: Cast, thread: Thread, name: str, known: ContactValues | None = None) -> Contact:
    values = ContactValues(name=name)
    return describe_contact(contact=thread.contact, values=values, known=known, by=cast.ana)


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def found_by(inbox_id: int, *asked: str) -> bool:
    query = words.build_tsquery([inbox_id], asked)
    return Contact.objects.extra(where=["words @@ %s::tsquery"], params=[query]).exists()


def test_any_member_sets_name_and_note_and_all_members_see_them(cast: Cast) -> None:
    thread = cast.thread()
    answer = save_contact(
        cast.cho, thread, name=" Marta Lindqvist ", note="Second bell.\r\nHas a dog."
    )
    assert answer["Location"] == f"/threads/{thread.pk}/"
    contact = Contact.objects.get()
    assert (contact.name, contact.note) == ("Marta Lindqvist", "Second bell.\nHas a dog.")
    page = text_of(client_of(cast.ben).get(f"/threads/{thread.pk}/").content.decode())
    assert "(202) 555-0177 Marta Lindqvist" in page  # the row of the list
    assert "Marta Lindqvist , edit contact · Front Desk" in page  # the title
    assert "Second bell. Has a dog." in page


def test_another_inbox_does_not_see_them(cast: Cast) -> None:
    here, there = cast.thread(), cast.thread(to=DISPATCH)
    save_contact(cast.ana, here, name="Marta")
    assert Contact.objects.get(thread=there).name == ""


def test_both_can_be_removed(cast: Cast) -> None:
    thread = cast.thread()
    save_contact(cast.ana, thread, name="Marta", note="Note")
    save_contact(cast.ana, thread, name="", note="")
    contact = Contact.objects.get()
    assert (contact.name, contact.note) == ("", "")
    assert not found_by(cast.front_desk.pk, "marta")


def test_the_name_and_the_number_are_found(cast: Cast) -> None:
    thread = cast.thread()
    save_contact(cast.ana, thread, name="Zoë Márquez")
    desk = cast.front_desk.pk
    assert found_by(desk, "zoe")
    assert found_by(desk, "marq", "zoe")
    assert found_by(desk, *words.digit_triples("0177"))
    assert not found_by(cast.dispatch.pk, "zoe")


def test_a_change_stamps_the_thread_and_rings_the_inbox(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    thread, rung = cast.thread(), []
    monkeypatch.setattr(bell, "_ring_now", lambda one: rung.append((one["kind"], one["id"])))
    before = thread.seq
    with django_capture_on_commit_callbacks(execute=True):
        describe(cast, thread, "Marta")
    thread.refresh_from_db()
    cast.front_desk.refresh_from_db()
    assert thread.seq == cast.front_desk.seq > before
    assert rung == [("inbox", cast.front_desk.pk)]


def test_what_a_colleague_wrote_meanwhile_is_not_lost(cast: Cast) -> None:
    thread = cast.thread()
    known = {"known_name": "", "known_note": ""}
    save_contact(cast.ana, thread, name="Marta", note="Ana's\nnote", **known)
    answer = save_contact(cast.ben, thread, name="Marta L.", note="Ben's", **known)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "A colleague changed this while you were editing." in html
    assert "Ana&#x27;s\nnote" in html
    assert "Ben&#x27;s</textarea>" in html
    assert Contact.objects.get().name == "Marta"
    again = {"known_name": "Marta", "known_note": "Ana's\r\nnote"}
    assert (
        save_contact(cast.ben, thread, name="Marta L.", note="Ben's", **again).status_code == 302
    )
    assert Contact.objects.get().note == "Ben's"


def test_saving_the_same_words_twice_is_no_conflict(cast: Cast) -> None:
    thread = cast.thread()
    describe(cast, thread, "Marta")
    describe(cast, thread, "Marta", known=ContactValues())
    with pytest.raises(ChangedMeanwhile):
        describe(cast, thread, "Other", known=ContactValues())


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "x" * 121, "Use at most 120 characters for a name."),
        ("note", "x" * 2001, "at most 2000 characters for a note; this one has 2001"),
        ("name", "a\x00b", "a character that can&#x27;t be saved"),
        ("note", "a\x00b", "a character that can&#x27;t be saved"),
        ("name", "\u200b\u2800", "This name has no visible characters"),
    ],
)
def test_an_invalid_value_is_explained_beside_the_field(
    cast: Cast, field: str, value: str, sentence: str
) -> None:
    thread = cast.thread()
    answer = save_contact(cast.ana, thread, **({"name": "Kept", "note": "Kept"} | {field: value}))
    html = answer.content.decode()
    assert answer.status_code == 422
    assert re.search(rf'id="contact-{field}-error">[^<]*{sentence}', html)
    assert re.search(rf'id="contact-{field}"[^>]*aria-invalid="true"', html)
    assert Contact.objects.get().name == ""


@pytest.mark.parametrize(
    ("sender", "shown"),
    [("+1 (202) 555-0177", "+1 (202) 555-0177"), ("\u202eodd\u200b", "odd"), ("72645", None)],
)
def test_the_raw_address_is_kept_and_shown(cast: Cast, sender: str, shown: str | None) -> None:
    thread = cast.text_in("Hi", sender=sender).thread
    save_contact(cast.ana, thread, name="Known")
    contact = Contact.objects.get()
    assert (contact.raw_address, contact.name) == (sender, "Known")
    html = client_of(cast.ana).get(f"/threads/{thread.pk}/contact/").content.decode()
    assert ("Number as received" in html) is (shown is not None)
    assert sender in html or shown is None


def test_a_name_that_cannot_be_answered_says_so_and_can_be_named(cast: Cast) -> None:
    thread = cast.text_in("Your parcel", sender="PARCELBOX").thread
    save_contact(cast.ana, thread, name="The locker", note="By the door")
    page = client_of(cast.ana).get(f"/threads/{thread.pk}/").content.decode()
    assert "PARCELBOX is a sender name, not a number" in page
    assert "The locker" in page


def test_only_the_owner_sees_those_of_a_personal_line(cast: Cast) -> None:
    thread = cast.thread(to="+12025550112")
    html = client_of(cast.ana).get(f"/threads/{thread.pk}/contact/").content.decode()
    assert "Only you can see this." in html
    assert save_contact(cast.ben, thread, name="Mine").status_code == 404
    assert Contact.objects.get().name == ""


@pytest.mark.django_db(transaction=True)
async def test_open_pages_follow(cast: Cast, opened: Opener) -> None:
    thread = await in_database(cast.thread)()
    inside = await opened(cast.ben, f"/threads/{thread.pk}/")
    beside = await opened(cast.cho, f"/inboxes/{cast.front_desk.pk}/")
    values = ContactValues(name="Marta L.", note="Second bell")
    contact = await Contact.objects.aget()
    await in_database(describe_contact)(contact=contact, values=values, by=cast.ana)
    await beside.wait_for(f"thread-{thread.pk}", "Marta L.")
    await wait_until(inside, lambda: any("Marta L." in title for title in row_titles(inside)))
    assert "Second bell" in row_titles(inside)[-1]


def row_titles(page: LivePage) -> list[str]:
    rows = "".join(frame.get("rows", "") for frame in page.frames)
    return re.findall(r'<div id="title-.*?</div>', rows, re.DOTALL)


def standing(page: LivePage) -> list[str]:
    return [frame["standing"]["refusal"] for frame in page.frames if "standing" in frame]


async def wait_until(page: LivePage, look: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not look():
            await page.receive_frame()


@pytest.mark.django_db(transaction=True)
async def test_open_composers_follow_an_opt_out_and_a_number_that_moves(
    cast: Cast, opened: Opener
) -> None:
    thread = await in_database(cast.thread)()
    inside = await opened(cast.ben, f"/threads/{thread.pk}/")
    outside = await opened(cast.ana, f"/inboxes/{cast.front_desk.pk}/")
    await in_database(record_opt_out)(our_address=FRONT_DESK, address=CUSTOMER)
    await wait_until(inside, lambda: "opted out" in "".join(standing(inside)[-1:]))
    await in_database(cast.text_in)("START")
    await wait_until(inside, lambda: standing(inside)[-1] == "")
    await in_database(Number.objects.filter(address=FRONT_DESK).update)(address="+12025550118")
    await in_database(announce_inbox)(inbox=cast.front_desk)
    await wait_until(inside, lambda: "no longer belongs" in standing(inside)[-1])
    await outside.receive_until_idle()
    assert standing(outside) == []
