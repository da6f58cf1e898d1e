"""Texts that an older version stored are found as they are folded now."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from inboxes.models import Agent
from messaging.contacts.describing import ContactValues, describe_contact
from messaging.models import Message
from messaging.stream import refolding
from messaging.stream.refolding import refold_activity, refold_words
from tests.cast import Cast
from threads import words
from threads.actions import set_priority
from threads.models import Activity, Contact, Thread


def store_old_words(thread: Thread, old: str) -> None:
    """Give the rows of a thread the words that an older version gave them."""
    vector = words.build_tsvector(thread.inbox_id, [old])
    with connection.cursor() as cursor:
        for statement, key in (
            ("UPDATE messaging_message SET words = %s::tsvector WHERE thread_id = %s", thread.pk),
            ("UPDATE threads_thread SET words = %s::tsvector WHERE id = %s", thread.pk),
            ("UPDATE threads_contact SET words = %s::tsvector WHERE id = %s", thread.contact_id),
        ):
            cursor.execute(statement, [vector, key])


def is_found(
    model: type[Message | Thread | Contact | Activity], inbox_id: int, *asked: str
) -> bool:
    query = words.build_tsquery([inbox_id], asked)
    rows = model.objects.extra(where=["words @@ %s::tsquery"], params=[query])
    return bool(rows.exists())


@pytest.mark.parametrize("batch", [1, 10_000])
def test_what_was_stored_with_strokes_is_found_without_them(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(refolding, "BATCH", batch)
    thread = cast.text_in("Dojazd z Łodzi do Øresund").thread
    values = ContactValues(name="Đặng Łukasz", company="Wytwórnia Pączków")
    describe_contact(contact=thread.contact, values=values, by=cast.ana)
    other = cast.text_in("Plain words", sender="+12025550181").thread
    store_old_words(thread, "łodzi")
    inbox_id = thread.inbox_id
    assert not is_found(Message, inbox_id, "oresund")
    assert refold_words() == 3
    for model in (Message, Thread):
        assert is_found(model, inbox_id, "lodzi", "oresund")
    assert is_found(Contact, inbox_id, "dang", "lukasz", "=paczkow")
    assert is_found(Contact, inbox_id, *words.digit_triples("+12025550177"))
    assert is_found(Thread, other.inbox_id, "plain")
    assert refold_words() == 0


def test_a_thread_keeps_the_words_of_its_last_message(cast: Cast) -> None:
    thread = cast.text_in("Łódź").thread
    cast.answer(thread, "Gdańsk")
    store_old_words(thread, "łodz")
    refold_words()
    assert is_found(Thread, thread.inbox_id, "gdansk")
    assert not is_found(Thread, thread.inbox_id, "lodz")
    assert is_found(Message, thread.inbox_id, "lodz")


def test_the_command_says_how_many_rows_it_changed(cast: Cast) -> None:
    store_old_words(cast.text_in("Łódź").thread, "łodz")
    out = StringIO()
    call_command("refold_words", stdout=out)
    assert out.getvalue() == "2 rows had other words.\n"


def test_lines_of_activity_are_found_as_names_are_folded_now(cast: Cast) -> None:
    thread = cast.text_in("Plain words").thread
    Agent.objects.filter(pk=cast.ben.pk).update(display_name="Łukasz Okafor")
    cast.ben.refresh_from_db()
    set_priority(thread=thread, priority="high", by=cast.ben)
    with connection.cursor() as cursor:
        old = words.build_tsvector(thread.inbox_id, ["łukasz"])
        cursor.execute("UPDATE threads_activity SET words = %s::tsvector", [old])
    assert refold_activity() == 1
    assert is_found(Activity, thread.inbox_id, "lukasz", "high")
    assert refold_activity() == 0
