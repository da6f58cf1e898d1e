"""The steps of an import, as an agent walks through them."""

from __future__ import annotations

import csv
import io

import pytest
from django.test import Client

from inboxes.actions import remove_member
from inboxes.models import Agent
from messaging.contacts.imports import importing
from messaging.models import ContactImport, Number
from tests.cast import Cast, client_of, create_cast
from tests.messaging.contacts.imports.files import (
    CUSTOMERS,
    _files_here,
    bring_in,
    make_upload,
    page_words,
    read,
    upload,
)
from threads.models import Contact

__all__ = ["_files_here"]

State = ContactImport.State
IMPORT = "/contacts/import/"


@pytest.fixture
def cast(db: None) -> Cast:
    return create_cast()


def post_file(agent: Agent, inbox_id: int, data: bytes | str, query: str = "") -> tuple[int, str]:
    """Upload a file; return the status, and what the page says or where it leads."""
    form = {"inbox": inbox_id, "file": make_upload(data)}
    answer = client_of(agent).post(IMPORT + query, form)
    return answer.status_code, answer.get("Location") or page_words(answer)


def post_columns(client: Client, one: ContactImport, **changed: str) -> tuple[int, str]:
    fields = {f"column_{index}": field for field, index in one.mapping.items()}
    form = {"encoding": one.encoding, "separator": one.separator, "region": "US"}
    if one.has_header:
        form["has_header"] = "on"
    answer = client.post(f"{IMPORT}{one.pk}/columns/", {**form, **fields, **changed})
    return answer.status_code, answer.get("Location") or page_words(answer)


def test_an_agent_walks_through_all_steps(cast: Cast) -> None:
    client = client_of(cast.ana)
    assert "Choose a file" in client.get(IMPORT).content.decode()
    status, place = post_file(cast.ana, cast.front_desk.pk, CUSTOMERS)
    one = ContactImport.objects.get()
    assert (status, place) == (302, f"{IMPORT}{one.pk}/columns/")
    page = page_words(client.get(place))
    assert "Say what the columns hold" in page
    assert "Abena Mensah" in page
    assert post_columns(client, one) == (302, f"{IMPORT}{one.pk}/")
    page = page_words(client.get(f"{IMPORT}{one.pk}/"))
    assert "Look before anything is saved" in page
    assert "customers.csv, 5 lines, into Front Desk." in page
    assert "(202) 555-01 in Phone has 8 digits; a number here has 10." in page
    assert "Nobody should be texted on a guess." in page
    assert "Import 3 contacts" in page
    assert not Contact.objects.exists()
    client.post(f"{IMPORT}{one.pk}/start/")
    page = page_words(client.get(f"{IMPORT}{one.pk}/"))
    assert "Contacts imported" in page
    assert Contact.objects.count() == 3


def test_the_preview_of_the_same_file_offers_nothing_to_import(cast: Cast) -> None:
    bring_in(cast.ana, cast.front_desk, CUSTOMERS)
    one = read(cast.ana, cast.front_desk, CUSTOMERS)
    client = client_of(cast.ana)
    page = page_words(client.get(f"{IMPORT}{one.pk}/"))
    assert "There is nothing to import" in page
    assert "3 change nothing" in page


def test_a_preview_shows_some_errors_and_says_how_many_there_are(cast: Cast) -> None:
    lines = "".join(f"Wrong {n},{n}\n" for n in range(1000, 1012))
    one = read(cast.ana, cast.front_desk, f"Name,Phone\nAnn,2025550133\n{lines}")
    page = page_words(client_of(cast.ana).get(f"{IMPORT}{one.pk}/"))
    assert "12 lines with an error Download these lines Line 3 1000 in Phone" in page
    assert "And 7 more; the download has all of them." in page
    assert "6 of 13 lines, the first 5 of 12 with an error included" in page
    assert page.count("Left out") == 5


def test_what_was_done_is_told_as_done(cast: Cast) -> None:
    bring_in(cast.ana, cast.front_desk, "Phone\n2025550126\n")
    one = bring_in(cast.ana, cast.front_desk, CUSTOMERS)
    client = client_of(cast.ana)
    page = page_words(client.get(f"{IMPORT}{one.pk}/"))
    assert "1 merged with a contact of the same number" in page
    assert "1 of these were recorded as opted out 2 lines with an error were left out" in page
    page = page_words(client.get(f"{IMPORT}{one.pk}/lines/"))
    assert "What happened" in page
    assert "Merged: added name, e-mail" in page


def test_the_last_step_is_reached_by_what_was_imported_alone(cast: Cast) -> None:
    one = read(cast.ana, cast.front_desk, CUSTOMERS)
    importing.start(one=one)
    importing.cancel(one=one)
    page = client_of(cast.ana).get(f"{IMPORT}{one.pk}/").content.decode()
    assert "What was saved is taken back" in page
    current = page.split('aria-current="step"')[1].split("</li>")[0]
    assert current.split()[-1] == "Preview"


def test_what_is_left_out_can_be_downloaded_corrected_and_uploaded(cast: Cast) -> None:
    file = CUSTOMERS + "'=cmd(),(202) 555,,,no\n"
    one = read(cast.ana, cast.front_desk, file)
    answer = client_of(cast.ana).get(f"{IMPORT}{one.pk}/errors/")
    data = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    rows = list(csv.reader(io.StringIO(data.removeprefix("\ufeff"))))
    assert rows[0][-2:] == ["Line", "Why it was left out"]
    assert [row[-2] for row in rows[1:]] == ["5", "6", "7"]
    assert rows[1][:2] == ["Peter Lang", "(202) 555-01"]
    assert rows[3][0].startswith("'=")
    corrected = data.replace("(202) 555-01", "(202) 555-0134").replace("maybe", "no")
    status, _ = post_file(cast.ana, cast.front_desk.pk, corrected, f"?instead={one.pk}")
    assert status == 302
    one.refresh_from_db()
    assert one.state == State.CANCELLED
    again = ContactImport.objects.latest("pk")
    assert again.mapping["number"] == 1
    assert post_columns(client_of(cast.ana), again)[0] == 302
    again.refresh_from_db()
    assert (again.new_count, again.error_count) == (2, 1)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"column_1": ""}, "Choose the column that holds the phone numbers."),
        ({"column_2": "name"}, "Two columns can't both be Name."),
        ({"region": "XX"}, "is not one of the available choices"),
    ],
    ids=["no number", "twice", "region"],
)
def test_columns_that_cannot_be_are_refused(
    cast: Cast, changed: dict[str, str], sentence: str
) -> None:
    one = upload(cast.ana, cast.front_desk, CUSTOMERS)
    status, page = post_columns(client_of(cast.ana), one, **changed)
    assert status == 422
    assert sentence in page


def test_opt_outs_need_a_number_of_the_inbox(cast: Cast) -> None:
    Number.objects.filter(inbox=cast.front_desk).delete()
    one = upload(cast.ana, cast.front_desk, CUSTOMERS)
    status, page = post_columns(client_of(cast.ana), one)
    assert status == 422
    assert "Front Desk has no number" in page


def test_a_file_can_be_read_again_in_another_way(cast: Cast) -> None:
    one = upload(cast.ana, cast.front_desk, "Name;Phone\nMüller;2025550133\n".encode("cp1252"))
    assert (one.encoding, one.separator) == ("cp1252", ";")
    client = client_of(cast.ana)
    assert post_columns(client, one, again="1", encoding="cp1250", separator=",")[0] == 302
    one.refresh_from_db()
    assert (one.encoding, one.headers) == ("cp1250", ["Name;Phone"])
    post_columns(client, one, again="1", encoding="cp1252", separator=";")
    one.refresh_from_db()
    assert one.mapping == {"name": 0, "number": 1}


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "This file is empty."),
        (b"PK\x03\x04" + b"x" * 99, "This is a spreadsheet workbook, not a CSV file."),
        (b"Name,Phone\nA\0B,1\n", "This file isn't text"),
        (b"Name,Phone\n" + b"x" * 300_000, "Line 2 has more than 200,000 characters"),
    ],
    ids=["empty", "workbook", "binary", "long line"],
)
def test_what_is_no_table_is_refused_with_a_sentence(
    cast: Cast, data: bytes, sentence: str
) -> None:
    status, page = post_file(cast.ana, cast.front_desk.pk, data)
    assert status == 422
    assert sentence in page
    assert not ContactImport.objects.exists()


def test_a_file_that_is_too_big_is_refused(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "MOST_BYTES", 50)
    assert "larger than 20 MB" in post_file(cast.ana, cast.front_desk.pk, CUSTOMERS)[1]


def test_nobody_imports_into_a_foreign_inbox(cast: Cast) -> None:
    for agent, inbox in [(cast.cho, cast.dispatch), (cast.ben, cast.anas_line)]:
        status, page = post_file(agent, inbox.pk, CUSTOMERS)
        assert status == 422
        assert "You can't add contacts to this inbox." in page


PAGES = [
    ("get", ""),
    ("get", "columns/"),
    ("get", "progress/"),
    ("get", "lines/"),
    ("get", "errors/"),
    ("post", "columns/"),
    ("post", "start/"),
    ("post", "cancel/"),
]


@pytest.mark.parametrize(("deed", "page"), PAGES)
def test_an_import_is_its_agents_alone_while_the_inbox_is_theirs(
    cast: Cast, deed: str, page: str
) -> None:
    one = read(cast.ana, cast.front_desk, CUSTOMERS)

    def status(agent: Agent, key: int = one.pk) -> int:
        code: int = getattr(client_of(agent), deed)(f"{IMPORT}{key}/{page}").status_code
        return code

    for stranger in (cast.ben, cast.dov, cast.admin):
        assert status(stranger) == 404
        assert status(stranger, 2**40) == 404
    remove_member(inbox=cast.front_desk, agent=cast.ana, changed_by=cast.admin)
    assert status(cast.ana) == 404
    one.refresh_from_db()
    assert one.state == State.READY


@pytest.mark.parametrize(("deed", "page"), PAGES)
def test_its_agent_is_let_in(cast: Cast, deed: str, page: str) -> None:
    one = read(cast.ana, cast.front_desk, CUSTOMERS)
    answer = getattr(client_of(cast.ana), deed)(f"{IMPORT}{one.pk}/{page}")
    assert answer.status_code in {200, 302, 422}


def test_all_lines_are_shown_page_by_page(cast: Cast) -> None:
    rows = "".join(f"Name {n},(303) 555-{n:04d}\n" for n in range(1000, 1150))
    one = read(cast.ana, cast.front_desk, f"Name,Phone\n{rows}")
    client = client_of(cast.ana)
    page = client.get(f"{IMPORT}{one.pk}/lines/").content.decode()
    assert "Name 1099" in page
    assert "Name 1100" not in page
    assert "?after=101" in page
    page = client.get(f"{IMPORT}{one.pk}/lines/?after=101").content.decode()
    assert "Name 1149" in page
    assert "Next lines" not in page


def test_a_waiting_page_is_led_on_when_the_import_is_over(cast: Cast) -> None:
    one = upload(cast.ana, cast.front_desk, CUSTOMERS)
    importing.choose_columns(one=one, mapping=one.mapping, region="US")
    client = client_of(cast.ana)
    assert "Reading the file…" in client.get(f"{IMPORT}{one.pk}/").content.decode()
    htmx = {"HX-Request": "true"}
    assert client.get(f"{IMPORT}{one.pk}/progress/", headers=htmx).status_code == 200
    importing.go_on(one.pk)
    answer = client.get(f"{IMPORT}{one.pk}/progress/", headers=htmx)
    assert answer["HX-Redirect"] == f"{IMPORT}{one.pk}/"


def test_cancelling_leads_back_and_says_that_nothing_was_saved(cast: Cast) -> None:
    one = read(cast.ana, cast.front_desk, CUSTOMERS)
    answer = client_of(cast.ana).post(f"{IMPORT}{one.pk}/cancel/", follow=True)
    assert "Import cancelled. Nothing was saved." in answer.content.decode()
    one.refresh_from_db()
    assert one.state == State.CANCELLED
