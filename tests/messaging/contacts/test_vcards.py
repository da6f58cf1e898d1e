"""Contact cards that come in show whom they describe, and are saved as contacts."""

from __future__ import annotations

import re
import time
from html import unescape
from typing import Any

import pytest

from messaging.attachments.storing import store_file
from messaging.contacts.describing import ContactValues, create_contact
from messaging.contacts.vcards import LARGEST_FILE, MOST_CARDS, Card, read_cards
from messaging.models import Attachment, Message
from tests.cast import FRONT_DESK, Cast, client_of
from threads.models import Contact

ANNA = (
    "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Gruber;Anna;;;\r\nFN:Anna Gruber\r\n"
    "ORG:Gruber & Co;Sales\r\nitem1.TEL;type=CELL;type=pref:(202) 555-0155\r\n"
    "TEL;type=WORK:+1 202 555 0156\r\nitem2.EMAIL;type=INTERNET:anna@gruber.example\r\n"
    "PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRgABAQAA\r\n SGVsbG8gd29ybGQ=\r\n"
    "NOTE:Likes tiles\r\nEND:VCARD\r\n"
)


def card_of(text: str | bytes) -> Card:
    [card] = read_cards(text if isinstance(text, bytes) else text.encode())
    return card


def lines(*given: str, version: str = "3.0") -> str:
    return "\r\n".join(["BEGIN:VCARD", f"VERSION:{version}", *given, "END:VCARD", ""])


def test_a_card_says_who_it_is_of() -> None:
    card = card_of(ANNA)
    assert (card.name, card.company, card.email) == (
        "Anna Gruber",
        "Gruber & Co",
        "anna@gruber.example",
    )
    assert [one.address for one in card.numbers] == ["+12025550155", "+12025550156"]
    assert [one.display for one in card.numbers] == ["(202) 555-0155", "(202) 555-0156"]


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (lines("FN:Jörg Müller").encode(), "Jörg Müller"),
        (lines("FN:Jörg Müller").encode("cp1252"), "Jörg Müller"),
        (lines("FN:Jörg Müller").encode("utf-16"), "Jörg Müller"),
        (b"\xef\xbb\xbf" + lines("FN:Jörg").encode(), "Jörg"),
        (lines("FN:Jo\r\n hn\r\n\t Doe").encode(), "John Doe"),
        (lines("FN:A").replace("\r\n", "\n").lower().encode(), "a"),
        (lines("FN:王小明", version="4.0").encode(), "王小明"),
        (
            lines(
                "FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:J=C3=B6rg M=C3=BC=\r\nller"
            ).encode(),
            "Jörg Müller",
        ),
        (lines("N:Doe;John Paul;;;").encode(), "John Paul Doe"),
        (lines("FN:Doe\\, John\\; Jr").encode(), "Doe, John; Jr"),
        (lines("FN:\u202eevil\u200b\x07 name").encode(), "evil name"),
        (lines("FN:" + "x" * 500).encode(), "x" * 120),
        (lines("FN:<b>Bold</b>").encode(), "<b>Bold</b>"),
    ],
)
def test_names_are_read_in_any_encoding_and_notation(data: bytes, name: str) -> None:
    assert card_of(data).name == name


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"BEGIN:VCARD",
        b"\x00\xff\xfe\x00" * 100,
        b"BEGIN:VCARD\r\nEND:VCARD\r\n",
        b"BEGIN:VCARD\r\nFN:Never ends\r\n",
        lines("FN:", "TEL:", "ORG:;;", "N:;;;;").encode(),
        lines("FN:" + "x" * 3_000).encode(),
        (lines("FN:Anna") + " " * LARGEST_FILE).encode(),
    ],
)
def test_what_is_no_card_is_none(data: bytes) -> None:
    assert read_cards(data) == []


def test_bad_lines_spoil_no_others() -> None:
    card = card_of(
        lines(
            "FN:Anna",
            "TEL;TYPE=:::::+1 202 555 0155",
            ";;;",
            "TEL;ENCODING=BASE64:%%%",
            "N;ENCODING=QUOTED-PRINTABLE:=ZZ=",
            "EMAIL:nobody",
            "BEGIN:VEVENT",
            "TEL:+12025550156",
            "TEL:12",
        )
    )
    assert card.name == "Anna"
    assert "+12025550156" in [one.address for one in card.numbers]
    assert card.email == ""
    assert CARD_WITHOUT_ADDRESS in [(one.written, one.address) for one in card.numbers]


CARD_WITHOUT_ADDRESS = ("12", "")

# Cards as phones and programs write them: iOS, Android, Outlook (2.1 and 3.0), and vCard 4.0.
REAL_CARDS = {
    "iOS": (
        "BEGIN:VCARD\r\nVERSION:3.0\r\nPRODID:-//Apple Inc.//iPhone OS 17.5//EN\r\n"
        "N:Gruber;Jörg;;;\r\nFN:Jörg Gruber\r\nORG:Fliesen Gruber\\, Söhne;\r\n"
        "item1.EMAIL;type=INTERNET;type=pref:jorg@gruber.example\r\nitem1.X-ABLabel:\r\n"
        "TEL;type=CELL;type=VOICE;type=pref:(202)\u00a0555-0155\r\n"
        "ADR;type=HOME:;;1 Main St;Springfield;IL;62701;United States\r\nEND:VCARD\r\n"
    ),
    "Android": (
        "BEGIN:VCARD\r\nVERSION:2.1\r\n"
        "N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Gruber;J=C3=B6rg;;;\r\n"
        "FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:J=C3=B6rg Gr=\r\nuber\r\n"
        "TEL;CELL;PREF:202-555-0155\r\nEMAIL;HOME:jorg@gruber.example\r\n"
        "ORG;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Fliesen Gruber, S=C3=B6hne\r\n"
        "PHOTO;ENCODING=BASE64;JPEG:/9j/4AAQSkZJRgABAQAA\r\n SGVsbG8gd29ybGQ=\r\n\r\n"
        "END:VCARD\r\n"
    ),
    "Outlook 2.1": (
        "BEGIN:VCARD\r\nVERSION:2.1\r\nN;LANGUAGE=de;CHARSET=Windows-1252:Gruber;Jörg\r\n"
        "FN;CHARSET=Windows-1252;ENCODING=QUOTED-PRINTABLE:J=F6rg Gruber\r\n"
        "ORG;QUOTED-PRINTABLE;CHARSET=Windows-1252:Fliesen Gruber, S=F6hne;Verkauf\r\n"
        "TEL;CELL;VOICE:+1 (202) 555-0155\r\nEMAIL;PREF;INTERNET:jorg@gruber.example\r\n"
        "X-MS-OL-DEFAULT-POSTAL-ADDRESS:0\r\nEND:VCARD\r\n"
    ),
    "Outlook 3.0": (
        "BEGIN:VCARD\r\nPROFILE:VCARD\r\nVERSION:3.0\r\nMAILER:Microsoft Exchange\r\n"
        "FN:Jörg Gruber\r\nN:Gruber;Jörg;;;\r\nORG:Fliesen Gruber\\, Söhne;Verkauf\r\n"
        "TEL;TYPE=WORK:\r\nTEL;TYPE=CELL:+1 202 555 0155\r\n"
        "EMAIL;TYPE=INTERNET;TYPE=pref:jorg@gruber.example\r\nEND:VCARD\r\n"
    ),
    "4.0": (
        "BEGIN:VCARD\r\nVERSION:4.0\r\nFN;PROP-ID=1:Jörg Gruber\r\n"
        'ORG;SORT-AS="Gruber: tiles":Fliesen Gruber\\, Söhne\r\n'
        'TEL;VALUE=uri;PREF=1;TYPE="voice,cell":tel:+1-202-555-0155;ext=5\r\n'
        "EMAIL;PID=1.1:jorg@gruber.example\r\nEND:VCARD\r\n"
    ),
}


@pytest.mark.parametrize("program", REAL_CARDS)
def test_cards_of_real_programs_are_read(program: str) -> None:
    card = card_of(REAL_CARDS[program])
    assert (card.name, card.company, card.email) == (
        "Jörg Gruber",
        "Fliesen Gruber, Söhne",
        "jorg@gruber.example",
    )
    assert [one.address for one in card.numbers] == ["+12025550155"]


@pytest.mark.parametrize("charset", ["IDNA", "unicode_escape", "zlib", "no\x00such", "ö" * 500])
def test_an_encoding_that_is_none_is_passed_over(charset: str) -> None:
    text = f"FN;ENCODING=QUOTED-PRINTABLE;CHARSET={charset}:J=C3=B6rg"
    assert card_of(lines(text)).name == "Jörg"


HOSTILE_CARDS = {
    "commas": lines("TEL;a=" + "," * 60 + "!"),
    "equals signs": lines("TEL;a" + "=" * 60 + "!"),
    "pairs": lines("TEL;" + "a=b,c;" * 40 + "!"),
    "quotation marks": lines('TEL;a="' * 250),
    "a thousand parameters": lines("TEL;" + "a=b;" * 450 + "c:+12025550155"),
    "backslashes": lines("N:" + "\\;" * 900),
    "2,000 numbers": lines("FN:A", *[f"TEL:+1202555{n:04}" for n in range(2_000)]),
    "a megabyte of numbers": lines(*["TEL;a=b,c:+12025550155"] * 40_000),
    "long lines in all cards": lines("FN:P", *["EMAIL:" + "x" * 1_990] * 25) * 20,
    "a megabyte of long names": lines(*["FN:" + "\u202e" * 600] * 560),
    "a megabyte of cards": lines("TEL:1") * 20_000,
    "a megabyte of empty cards": lines() * 25_000,
    "a megabyte of line ends": "BEGIN:VCARD" + "\n" * 1_000_000 + "END:VCARD",
    "a megabyte of groups": lines("a." * 500_000 + "TEL:1"),
}


@pytest.mark.parametrize("kind", HOSTILE_CARDS)
def test_no_card_keeps_the_server_busy(kind: str) -> None:
    data = HOSTILE_CARDS[kind].encode()
    assert len(data) <= LARGEST_FILE
    read_cards(lines("FN:Anna", "TEL:+12025550155").encode())  # what is loaded once
    started_at = time.process_time()
    read_cards(data)
    assert time.process_time() - started_at < 0.1


def test_several_cards_are_read_up_to_a_limit_and_in_no_time() -> None:
    many = "".join(lines(f"FN:P {n}", *["TEL:+12025550155"] * 20) for n in range(MOST_CARDS + 5))
    started_at = time.monotonic()
    cards = read_cards(many.encode())
    hostile = "BEGIN:VCARD\r\n" + "FN;" * 200_000 + "\r\n" + "=\r\n" * 100_000 + "END:VCARD"
    read_cards(hostile.encode())
    assert time.monotonic() - started_at < 10
    assert len(cards) == MOST_CARDS
    assert all(len(card.numbers) == 1 for card in cards)


def receive(cast: Cast, text: str) -> Attachment:
    message = cast.text_in("Here is Anna", sender="+12025550199")
    return Attachment.objects.create(
        message=message,
        thread=message.thread,
        state="ready",
        **store_file(text.encode()).columns,
    )


def show(cast: Cast, file: Attachment) -> str:
    answer = client_of(cast.ana).get(f"/attachments/{file.pk}/card/", HTTP_HX_REQUEST="true")
    assert answer.status_code == 200
    return str(answer.content.decode())


def save(cast: Cast, file: Attachment, pick: str) -> Any:
    return client_of(cast.ana).post(
        f"/attachments/{file.pk}/card/save/", {"pick": pick}, HTTP_HX_REQUEST="true"
    )


def words_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def test_the_bubble_of_a_card_asks_for_whom_it_describes(cast: Cast) -> None:
    file = receive(cast, ANNA)
    Message.objects.update(file_count=1)
    html = client_of(cast.ana).get(f"/threads/{file.thread_id}/").content.decode()
    assert f'hx-get="/attachments/{file.pk}/card/"' in html
    assert "Show contact" in html
    assert words_of(show(cast, file)) == (
        "Anna Gruber Gruber & Co anna@gruber.example"
        " (202) 555-0155 Save contact (202) 555-0155"
        " (202) 555-0156 Save contact (202) 555-0156"
    )
    page = client_of(cast.ana).get(f"/attachments/{file.pk}/card/").content.decode()
    assert "Anna Gruber" in page
    assert "<h1" in page


def test_a_card_is_saved_in_the_inbox_that_got_it(cast: Cast) -> None:
    file = receive(cast, ANNA)
    html = save(cast, file, "0-1").content.decode()
    contact = Contact.objects.get(address="+12025550156")
    assert (contact.inbox, contact.is_unused) == (cast.front_desk, True)
    assert ContactValues.of(contact) == ContactValues(
        name="Anna Gruber", company="Gruber & Co", email="anna@gruber.example"
    )
    assert f'href="/contacts/{contact.pk}/">In Contacts' in html
    assert words_of(html).count("Save contact") == 1
    plain = client_of(cast.ana).post(f"/attachments/{file.pk}/card/save/", {"pick": "0-0"})
    assert plain["Location"] == f"/attachments/{file.pk}/card/"
    assert Contact.objects.filter(address="+12025550155").exists()


def test_a_card_fills_what_is_not_known_and_replaces_nothing(cast: Cast) -> None:
    values = ContactValues(name="Anni", note="Rings twice")
    there = create_contact(
        inbox_id=cast.front_desk.pk, address="+12025550155", values=values, by=cast.ana
    )
    file = receive(cast, ANNA)
    assert "Save contact" in words_of(show(cast, file)).split("0156")[0]
    save(cast, file, "0-0")
    there.refresh_from_db()
    assert ContactValues.of(there) == ContactValues(
        name="Anni", note="Rings twice", company="Gruber & Co", email="anna@gruber.example"
    )


@pytest.mark.parametrize("pick", ["", "0", "1-0", "0-9", "-1-0", "0-x", "9" * 30])
def test_a_number_that_the_card_lacks_is_a_404(cast: Cast, pick: str) -> None:
    assert save(cast, receive(cast, ANNA), pick).status_code == 404
    assert Contact.objects.count() == 1


def test_our_own_number_is_not_saved(cast: Cast) -> None:
    html = save(cast, receive(cast, lines("FN:Us", f"TEL:{FRONT_DESK}")), "0-0").content.decode()
    assert "one of our own numbers" in html
    assert Contact.objects.count() == 1


def test_only_cards_that_came_in_are_shown_and_only_to_members(cast: Cast) -> None:
    card, other = receive(cast, ANNA), receive(cast, "Plain words")
    for agent, file in ((cast.dov, card), (cast.admin, card), (cast.ana, other)):
        client = client_of(agent)
        assert client.get(f"/attachments/{file.pk}/card/").status_code == 404
        answer = client.post(f"/attachments/{file.pk}/card/save/", {"pick": "0-0"})
        assert answer.status_code == 404
    Attachment.objects.filter(pk=card.pk).update(state="waiting")
    assert client_of(cast.ana).get(f"/attachments/{card.pk}/card/").status_code == 404


def test_a_card_that_cannot_be_read_can_still_be_saved_as_a_file(cast: Cast) -> None:
    html = show(cast, receive(cast, "BEGIN:VCARD\r\nVERSION:3.0\r\n"))
    assert "This card can't be read." in unescape(html)
