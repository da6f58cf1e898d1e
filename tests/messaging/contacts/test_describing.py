"""Contacts are described, found, and met again by a first text."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from messaging.contacts.describing import (
    VALUE_NAMES,
    ContactExists,
    ContactValues,
    create_contact,
    describe_contact,
)
from messaging.conversations.start import suggest_contacts
from tests.cast import CUSTOMER, Cast, client_of
from threads import words
from threads.models import Contact

ALL = ContactValues(
    name="Joe Castellano",
    company="Castellano & Sons",
    email="joe@castellano.example",
    reference="Order 88-0931",
    note="Rings twice.",
    time_zone="America/Denver",
)


def found_by(inbox_id: int, *asked: str, with_details: bool) -> bool:
    query = words.build_tsquery([inbox_id], asked, with_details=with_details)
    return Contact.objects.extra(where=["words @@ %s::tsquery"], params=[query]).exists()


def test_every_field_is_saved_from_the_form(cast: Cast) -> None:
    thread = cast.thread()
    form = {
        "name": " Joe Castellano ",
        "company": "Castellano & Sons",
        "email": "joe@castellano.example",
        "reference": "Order 88-0931",
        "note": "Rings\r\ntwice.",
    }
    client_of(cast.cho).post(f"/threads/{thread.pk}/contact/", form)
    contact = Contact.objects.get()
    assert ContactValues.of(contact) == ContactValues(
        name="Joe Castellano",
        company="Castellano & Sons",
        email="joe@castellano.example",
        reference="Order 88-0931",
        note="Rings\ntwice.",
    )


def test_a_form_does_not_lose_what_it_does_not_ask_for(cast: Cast) -> None:
    thread = cast.thread()
    describe_contact(contact=thread.contact, values=ALL, by=cast.ana)
    client_of(cast.cho).post(f"/threads/{thread.pk}/contact/", {"name": "Joe"})
    assert Contact.objects.get().time_zone == "America/Denver"


def test_a_company_that_a_colleague_wrote_meanwhile_is_not_lost(cast: Cast) -> None:
    thread = cast.thread()
    describe_contact(contact=thread.contact, values=ALL, by=cast.ben)
    form = {"name": "Joe", "known_name": "Joe Castellano", "known_note": "Rings twice."}
    answer = client_of(cast.cho).post(f"/threads/{thread.pk}/contact/", form)
    assert answer.status_code == 302
    contact = Contact.objects.get()
    assert (contact.name, contact.company) == ("Joe", "Castellano & Sons")


@pytest.mark.parametrize("page", ["threads/{0.pk}/contact", "contacts/{0.contact_id}/edit"])
def test_two_who_change_different_things_at_once_lose_nothing(cast: Cast, page: str) -> None:
    thread = cast.thread()
    describe_contact(contact=thread.contact, values=ALL, by=cast.ben)
    path = f"/{page.format(thread)}/"
    opened = {name: getattr(ALL, name) for name in VALUE_NAMES}
    opened |= {f"known_{name}": value for name, value in opened.items()}
    ana, ben = client_of(cast.ana), client_of(cast.ben)
    assert ana.post(path, opened | {"company": "Ana Co"}).status_code == 302
    assert ben.post(path, opened | {"reference": "Ben 7"}).status_code == 302
    contact = Contact.objects.get()
    assert ContactValues.of(contact) == replace(ALL, company="Ana Co", reference="Ben 7")
    # Cho changed what Ana changed, and something else: the first is asked about alone.
    answer = client_of(cast.cho).post(path, opened | {"company": "Cho Co", "email": ""})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "A colleague changed this while you were editing." in html
    assert re.search(r'name="company"[^>]*value="Cho Co"', html)
    assert re.search(r'name="reference"[^>]*value="Ben 7"', html)
    assert ContactValues.of(Contact.objects.get()).company == "Ana Co"


@pytest.mark.parametrize(
    "email", ["joe", "joe@", "a b@c.example", "joe@" + "x" * 250 + ".example"]
)
def test_an_address_that_is_none_is_explained_beside_its_field(cast: Cast, email: str) -> None:
    thread = cast.thread()
    answer = client_of(cast.cho).post(f"/threads/{thread.pk}/contact/", {"email": email})
    assert answer.status_code == 422
    assert 'id="contact-email-error">' in answer.content.decode()
    assert Contact.objects.get().email == ""


def test_only_the_list_of_contacts_finds_the_company(cast: Cast) -> None:
    thread = cast.thread()
    describe_contact(contact=thread.contact, values=ALL, by=cast.ana)
    desk = cast.front_desk.pk
    for asked in (("castellano", "sons"), ("88",), ("joe", "example", "0931"[:2])):
        assert found_by(desk, *asked, with_details=True), asked
    assert found_by(desk, "joe", "castellano", with_details=False)
    assert not found_by(desk, "sons", with_details=False)
    assert not found_by(cast.dispatch.pk, "castellano", with_details=True)


def test_a_new_contact_is_suggested_and_its_first_text_shows_its_name(cast: Cast) -> None:
    new = create_contact(inbox_id=cast.front_desk.pk, address=CUSTOMER, values=ALL, by=cast.ana)
    assert new.is_unused
    assert suggest_contacts([cast.front_desk.pk], "caste") == [new]
    thread = cast.text_in("Hello?").thread
    new.refresh_from_db()
    assert thread.contact == new
    assert (new.is_unused, new.name) == (False, "Joe Castellano")
    page = client_of(cast.ben).get(f"/inboxes/{cast.front_desk.pk}/").content.decode()
    assert "Joe Castellano" in page


def test_a_contact_that_is_there_already_is_not_made_twice(cast: Cast) -> None:
    thread = cast.thread()
    with pytest.raises(ContactExists) as refused:
        create_contact(inbox_id=cast.front_desk.pk, address=CUSTOMER, values=ALL, by=cast.ana)
    assert refused.value.contact == thread.contact
    assert Contact.objects.get().name == ""
