"""Open a contact beside the list, change it, and add one that has not texted yet."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import quote

import pytest

from inboxes.models import Inbox
from messaging.contacts.blocking import block_contact
from messaging.contacts.describing import ContactValues, create_contact
from tests.cast import ANAS_LINE, CUSTOMER, DISPATCH, FRONT_DESK, Cast, client_of
from tests.messaging.contacts.test_list import rows_of
from threads.models import Contact
from threads.templatetags.formats import break_at_sign, initials

VALUES = ContactValues(name="Rosa Delgado", email="rosa@delgado.example", reference="88-0931")
NEW = {"number": "(202) 555-0155", "name": "Rosa", "company": "Delgado Tiles", "note": "Rings\r\n"}


def words_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def panel_of(cast: Cast, contact: Contact, query: str = "") -> str:
    answer = client_of(cast.ana).get(
        f"/contacts/{contact.pk}/{query}", HTTP_HX_REQUEST="true", HTTP_HX_TARGET="contact-panel"
    )
    assert answer.status_code == 200
    return str(answer.content.decode())


def add(cast: Cast, address: str = CUSTOMER) -> Contact:
    return create_contact(inbox_id=cast.front_desk.pk, address=address, values=VALUES, by=cast.ana)


def test_the_panel_opens_the_conversation_of_who_has_one_and_starts_one_else(cast: Cast) -> None:
    contact = add(cast)
    html = panel_of(cast, contact)
    assert f'href="/start/?inbox={cast.front_desk.pk}&amp;to={quote(CUSTOMER)}"' in html
    assert "Rosa Delgado" in html
    assert "88-0931" in html
    thread = cast.thread()
    html = panel_of(cast, contact)
    assert f'href="/threads/{thread.pk}/"' in html
    assert "/start/" not in html


def test_start_is_filled_in_with_the_number_and_its_inbox(cast: Cast) -> None:
    path = f"/start/?inbox={cast.front_desk.pk}&to={quote(CUSTOMER)}"
    html = client_of(cast.ana).get(path).content.decode()
    assert re.search(r'name="to"[^>]*value="\(202\) 555-0177"', html)
    assert re.search(rf'<option[^>]*value="{cast.front_desk.pk}"[^>]*selected', html)
    assert re.search(r"<textarea[^>]*autofocus", html)


def test_the_page_shows_list_and_contact_without_scripts(cast: Cast) -> None:
    contact = add(cast)
    cast.thread(sender="+12025550199")
    html = client_of(cast.ana).get(f"/contacts/{contact.pk}/?order=name").content.decode()
    assert 'aria-label="Contacts"' in html
    assert 'aria-label="Details"' in html
    assert re.search(r'aria-current="true"[^<]*>\s*<bdi class="contacts-name">Rosa Delgado', html)
    assert f'href="/contacts/{contact.pk}/edit/?order=name"' in html


def test_other_inboxes_that_know_the_number_are_named_to_their_members(cast: Cast) -> None:
    contact = add(cast)
    for ours in (DISPATCH, ANAS_LINE):
        cast.thread(to=ours)
    assert "Also in Dispatch Ana Ruiz" in words_of(panel_of(cast, contact))
    html = client_of(cast.cho).get(f"/contacts/{contact.pk}/").content.decode()
    assert "Also in" not in html


def test_a_contact_is_changed_and_found_by_its_new_words(cast: Cast) -> None:
    contact = add(cast)
    client = client_of(cast.cho)
    form = {
        "name": "Rosa D.",
        "company": "Delgado Tiles",
        "email": "",
        "note": "",
        "reference": "",
    }
    answer = client.post(f"/contacts/{contact.pk}/edit/?q=rosa", form)
    assert answer["Location"] == f"/contacts/{contact.pk}/?q=rosa"
    contact.refresh_from_db()
    assert ContactValues.of(contact) == ContactValues(name="Rosa D.", company="Delgado Tiles")
    assert len(rows_of(cast.ana, "?q=tiles")) == 1
    assert rows_of(cast.ana, "?q=0931") == []


def test_what_a_colleague_wrote_meanwhile_is_shown_and_can_be_replaced(cast: Cast) -> None:
    contact = add(cast)
    path, client = f"/contacts/{contact.pk}/edit/", client_of(cast.cho)
    known = {"known_name": "Old name", "known_email": "", "known_reference": ""}
    answer = client.post(path, {"name": "Mine", **known})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "A colleague changed this while you were editing." in html
    assert re.search(r'name="name"[^>]*value="Mine"', html)
    again = dict(re.findall(r'name="(known_\w+)" value="([^"]*)"', html)) | {"known_note": ""}
    assert client.post(path, {"name": "Mine", **again}).status_code == 302
    contact.refresh_from_db()
    assert contact.name == "Mine"


def test_a_new_contact_is_added_in_any_notation(cast: Cast) -> None:
    form = NEW | {"inbox": str(cast.front_desk.pk)}
    answer = client_of(cast.ben).post("/contacts/new/", form)
    contact = Contact.objects.get()
    assert answer["Location"] == f"/contacts/{contact.pk}/"
    assert (contact.address, contact.raw_address) == ("+12025550155", "(202) 555-0155")
    assert (contact.kind, contact.is_unused, contact.note) == ("phone", True, "Rings")
    assert rows_of(cast.cho)[0].startswith("R Rosa Delgado Tiles (202) 555-0155 Front Desk")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"number": "Rosa"}, "That isn't a phone number."),
        ({"number": "555"}, "That isn't a valid number."),
        ({"number": ""}, "Enter a phone number."),
        ({"number": FRONT_DESK}, "is one of our own numbers."),
        ({"number": CUSTOMER}, "This inbox already knows this number."),
        ({"inbox": ""}, "Choose an inbox."),
        ({"email": "rosa"}, "That isn't an e-mail address."),
        ({"company": "x" * 121}, "Use at most 120 characters for a company."),
    ],
)
def test_what_is_wrong_with_a_new_contact_is_said_and_nothing_is_lost(
    cast: Cast, change: dict[str, str], sentence: str
) -> None:
    there = add(cast)
    form = NEW | {"inbox": str(cast.front_desk.pk)} | change
    answer = client_of(cast.ben).post("/contacts/new/", form)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in unescape(html)
    assert re.search(r'name="name"[^>]*value="Rosa"', html)
    assert (f"/contacts/{there.pk}/" in html.split("contact-number-error")[-1]) is (
        change.get("number") == CUSTOMER
    )
    assert Contact.objects.count() == 1


def test_of_several_wrong_fields_the_one_that_stands_first_gets_the_focus(cast: Cast) -> None:
    form = {"inbox": str(cast.front_desk.pk), "number": "nobody", "email": "rosa"}
    html = client_of(cast.ben).post("/contacts/new/", form).content.decode()
    assert re.findall(r'id="([\w-]+)"[^>]*autofocus', html) == ["contact-number"]


@pytest.mark.parametrize("page", ["opt-out", "consent"])
def test_pages_about_a_contact_lead_back_to_where_one_came_from(cast: Cast, page: str) -> None:
    contact = add(cast)
    path = f"/contacts/{contact.pk}/"
    html = client_of(cast.ana).get(f"{path}{page}/").content.decode()
    [back] = re.findall(r'<a[^>]*aria-label="Back to the contact"[^>]*>', html)
    # The page of contacts is another one: nothing of this page can hold it.
    assert f'href="{path}"' in back
    assert "hx-get" not in back
    thread = cast.thread()
    html = client_of(cast.ana).get(f"{path}{page}/").content.decode()
    [back] = re.findall(r'<a[^>]*aria-label="Back to the conversation"[^>]*>', html)
    assert f'hx-get="/threads/{thread.pk}/"' in back
    assert 'hx-target="#conversation"' in back


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Rosa Maria Delgado", "RD"),
        ("(Bob) Smith", "BS"),
        ("Nora (Tiles & Co)", "NC"),
        ("7-Eleven", "E"),
        ("Anna +", "A"),
        ("“اب” 3", "ا"),
        ("24/7", "2"),
        ("???", ""),
    ],
)
def test_initials_are_letters(name: str, shown: str) -> None:
    assert initials(name) == shown


def test_nobody_adds_a_contact_to_an_inbox_of_others(cast: Cast) -> None:
    for agent, inbox in ((cast.dov, cast.front_desk), (cast.ben, cast.anas_line)):
        answer = client_of(agent).post("/contacts/new/", NEW | {"inbox": str(inbox.pk)})
        assert answer.status_code == 422
    assert not Contact.objects.exists()
    assert "You belong to no inbox" in client_of(cast.dov).get("/contacts/new/").content.decode()


def test_a_row_is_drawn_anew_after_its_contact_was_blocked(cast: Cast) -> None:
    contact = add(cast)
    block_contact(contact=contact, by=cast.ana)
    answer = client_of(cast.ana).get(f"/contacts/{contact.pk}/?row=1", HTTP_HX_REQUEST="true")
    html = answer.content.decode()
    assert html.strip().startswith("<tr")
    assert "Blocked" in html
    assert "Unblock" in panel_of(cast, contact)


def test_the_foot_of_the_messages_view_leads_to_the_contacts(cast: Cast) -> None:
    html = client_of(cast.ana).get("/?only=all").content.decode()
    assert re.search(r'href="/contacts/"\s+aria-label="Contacts"', html)


def test_import_is_offered_to_members_and_export_to_whom_it_is_allowed(cast: Cast) -> None:
    path = "/contacts/export/"
    html = client_of(cast.ana).get("/contacts/").content.decode()
    assert 'action="/contacts/import/"' in html
    assert path not in html
    Inbox.objects.filter(pk=cast.dispatch.pk).update(members_export_contacts=True)
    assert f'href="{path}"' in client_of(cast.ana).get("/contacts/").content.decode()
    for query in (f"?inbox={cast.front_desk.pk}", f"?inbox={cast.dispatch.pk}"):
        html = client_of(cast.ana).get(f"/contacts/{query}").content.decode()
        assert (f'href="{path}{query}"' in html) is (query.endswith(str(cast.dispatch.pk)))
    assert path not in client_of(cast.cho).get("/contacts/").content.decode()
    assert "/contacts/import/" not in client_of(cast.dov).get("/contacts/").content.decode()


def test_a_search_keeps_the_contact_that_stands_beside_the_list_in_the_address(cast: Cast) -> None:
    contact = add(cast)
    for shown, path in (
        (f"/contacts/{contact.pk}/?order=name", f"/contacts/{contact.pk}/?q=rosa"),
        ("/contacts/new/", "/contacts/?q=rosa"),
        ("/elsewhere/9/", "/contacts/?q=rosa"),
        ("/contacts/", "/contacts/?q=rosa"),
    ):
        answer = client_of(cast.ana).get(
            "/contacts/?q=rosa",
            HTTP_HX_REQUEST="true",
            HTTP_HX_TARGET="div#contacts-found",
            HTTP_HX_CURRENT_URL=f"http://testserver{shown}",
        )
        assert answer["HX-Replace-Url"] == path


@pytest.mark.parametrize(
    ("email", "shown"),
    [("rosa@delgado.example", "rosa@<wbr>delgado.example"), ("a<b@c", "a&lt;b@<wbr>c")],
)
def test_a_long_email_address_breaks_behind_its_sign(email: str, shown: str) -> None:
    assert break_at_sign(email) == shown
