"""Contacts leave as a file that no spreadsheet runs, and that comes back unchanged."""

from __future__ import annotations

import csv
import io
import logging
import re
import uuid
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.http.response import HttpResponseBase
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from inboxes.models import Agent, Inbox
from messaging.contacts import cells, lists
from messaging.contacts.blocking import block_contact
from messaging.contacts.describing import ContactValues, create_contact, describe_contact
from messaging.contacts.imports import importing
from messaging.models import OptOut
from messaging.outbound.opt_outs import record_opt_out
from messaging.outbound.starting import schedule_first_text
from messaging.work.labels import label_threads
from tests.cast import DISPATCH, FRONT_DESK, Cast, client_of, create_cast
from tests.messaging.contacts.imports.files import _files_here, read
from threads.models import Consent, Contact, Label

__all__ = ["_files_here"]

EXPORT = "/contacts/export/"
GIVEN_AT = datetime(2026, 3, 4, 23, 30, tzinfo=UTC)


@pytest.fixture
def cast(db: None) -> Cast:
    return create_cast()


def content(response: HttpResponseBase) -> bytes:
    assert response.status_code == 200
    return b"".join(response.streaming_content)  # type: ignore[attr-defined]


def rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))


def administrator(cast: Cast) -> Agent:
    cast.ana.is_staff = True
    cast.ana.save()
    return cast.ana


def fill(cast: Cast) -> None:
    """Make contacts of all kinds in Front Desk."""
    thread = cast.thread(sender="+12025550177")
    values = ContactValues(
        name='=HYPERLINK("http://x")',
        company='A; B, "C"',
        email="a@example.com",
        reference="-1",
        note="Two\nlines",
        time_zone="America/Denver",
    )
    describe_contact(contact=thread.contact, values=values, by=cast.ana)
    label = Label.objects.create(inbox=cast.front_desk, name="Repair", colour="blue", seq=1)
    label_threads(
        inbox_id=cast.front_desk.pk,
        thread_ids=[thread.pk],
        label_id=label.pk,
        is_on=True,
        by=cast.ana,
    )
    Consent.objects.create(contact=thread.contact, how="form", words="Web form", given_at=GIVEN_AT)
    abroad = create_contact(
        inbox_id=cast.front_desk.pk,
        address="+447400123456",
        values=ContactValues(name="'quoted"),
        by=cast.ana,
    )
    Consent.objects.create(contact=abroad, how="paper", given_at=timezone.now())
    record_opt_out(our_address=FRONT_DESK, address=abroad.address)
    for sender in ("72000", "DHL", "+11115550100"):
        cast.thread(sender=sender)
    cast.thread(sender="+13035550190", to=DISPATCH)


def test_what_was_exported_changes_nothing_when_it_is_imported(cast: Cast) -> None:
    fill(cast)
    data = content(client_of(administrator(cast)).get(f"{EXPORT}?inbox={cast.front_desk.pk}"))
    before = list(Contact.objects.order_by("pk").values())
    one = read(cast.ana, cast.front_desk, data)
    left_out = one.lines.filter(outcome="error").values_list("values__cells__1", flat=True)
    assert set(left_out) == {"72000", "DHL"}
    assert (one.line_count, one.same_count, one.contact_count) == (5, 3, 0), list(
        one.lines.values_list("line", "column", "error", "changes")
    )
    with pytest.raises(importing.NotNow):
        importing.start(one=one)
    assert list(Contact.objects.order_by("pk").values()) == before
    assert OptOut.objects.count() == 1


def test_a_consent_that_ended_is_not_told(cast: Cast) -> None:
    fill(cast)
    Consent.objects.update(ended_at=timezone.now(), ended_by=cast.ana)
    data = content(client_of(administrator(cast)).get(EXPORT))
    assert {(row["Consent"], row["Consent date"]) for row in rows(data)} == {("", "")}


def test_the_file_tells_all_that_is_known(cast: Cast) -> None:
    fill(cast)
    data = content(client_of(administrator(cast)).get(EXPORT))
    found = {row["Number"]: row for row in rows(data)}
    assert set(found) == {
        "(202) 555-0177",
        "(+44) 7400 123456",
        "72000",
        "DHL",
        "1115550100",
        "(303) 555-0190",
    }
    one = found["(202) 555-0177"]
    assert one["Name"] == '\'=HYPERLINK("http://x")'
    assert one["Reference"] == "'-1"
    assert one["Consent date"] == "2026-03-04"
    assert (one["Consent"], one["Labels"], one["Inbox"]) == ("Web form", "Repair", "Front Desk")
    assert (one["Opt-out"], found["(+44) 7400 123456"]["Opt-out"]) == ("No", "Yes")
    assert found["(303) 555-0190"]["Inbox"] == "Dispatch"


@given(st.text(alphabet="'=+-@\t\r\n＝ aé1,;\"", max_size=6))
def test_cells_are_harmless_and_come_back_exactly(cell: str) -> None:
    written = cells.make_harmless(cell)
    assert not written.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝"))
    assert cells.read_harmless(written) == cell


def test_members_export_only_where_an_administrator_allowed_it(cast: Cast) -> None:
    fill(cast)
    client = client_of(cast.ben)
    assert client.get(EXPORT).status_code == 404
    cast.dispatch.members_export_contacts = True
    cast.dispatch.save()
    assert {row["Inbox"] for row in rows(content(client.get(EXPORT)))} == {"Dispatch"}
    for inbox in (cast.front_desk.pk, cast.anas_line.pk, 2**40):
        assert client.get(f"{EXPORT}?inbox={inbox}").status_code == 404


def test_administrators_export_their_own_inboxes_alone(cast: Cast) -> None:
    fill(cast)
    assert client_of(cast.admin).get(EXPORT).status_code == 404
    client = client_of(administrator(cast))
    assert client.get(f"{EXPORT}?inbox={cast.front_desk.pk}").status_code == 200


def test_an_export_is_logged_without_numbers_and_names(
    cast: Cast, caplog: pytest.LogCaptureFixture
) -> None:
    fill(cast)
    client = client_of(administrator(cast))
    caplog.clear()
    with caplog.at_level(logging.INFO):
        content(client.get(f"{EXPORT}?inbox={cast.front_desk.pk}"))
    assert f"Agent {cast.ana.pk} exported 5 contacts" in caplog.text
    assert "2025550" not in caplog.text
    assert "HYPERLINK" not in caplog.text


def test_the_administration_exports_any_inbox_and_its_history_tells(cast: Cast) -> None:
    fill(cast)
    client = client_of(cast.admin)
    cast.admin.is_superuser = True
    cast.admin.save()
    page = f"/admin/inboxes/inbox/{cast.front_desk.pk}/"
    assert "Export contacts" in client.get(f"{page}change/").content.decode()
    assert len(rows(content(client.get(f"{page}contacts/")))) == 5
    assert "Exported the contacts." in client.get(f"{page}history/").content.decode()
    assert client_of(cast.ben).get(f"{page}contacts/").status_code != 200


def test_the_last_text_is_told_in_the_readers_time_zone(cast: Cast) -> None:
    thread = cast.thread()
    thread.messages.update(created_at=datetime(2026, 3, 4, 23, 30, tzinfo=UTC))
    cast.note(thread, "An internal message is no text")
    cast.ana.time_zone = "Asia/Tokyo"
    data = content(client_of(administrator(cast)).get(f"{EXPORT}?inbox={cast.front_desk.pk}"))
    assert [row["Last text"] for row in rows(data)] == ["2026-03-05 08:30"]


@pytest.mark.parametrize("batch", [1_000, 1])
def test_a_list_that_is_narrowed_is_exported_as_it_is(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr("messaging.contacts.exporting.BATCH", batch)
    fill(cast)
    block_contact(contact=Contact.objects.get(address="72000"), by=cast.ana)
    client = client_of(administrator(cast))
    label = Label.objects.get().pk
    found = {
        query: {row["Number"] for row in rows(content(client.get(f"{EXPORT}?{query}")))}
        for query in ("blocked=1", "opted_out=1", f"label={label}", "q=hyper", "q=nobody", "q=303")
    }
    assert found == {
        "blocked=1": {"72000"},
        "opted_out=1": {"(+44) 7400 123456"},
        f"label={label}": {"(202) 555-0177"},
        "q=hyper": {"(202) 555-0177"},
        "q=nobody": set(),
        "q=303": {"(303) 555-0190"},
    }
    assert client.get(f"{EXPORT}?order=age").status_code == 404


def export_link(agent: Agent, query: str) -> tuple[str, str]:
    """Return what the link *Export* of the page says, and the query string of its address."""
    html = client_of(agent).get(f"/contacts/{query}").content.decode()
    found = re.search(r'href="/contacts/export/([^"]*)"\s+title="([^"]*)"', html)
    return (found[2], unescape(found[1])) if found else ("", "")


def test_the_link_says_what_it_exports(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(cast)
    agent = administrator(cast)
    label = Label.objects.get().pk
    front_desk = cast.front_desk.pk
    assert export_link(agent, "?order=name") == ("Export", "")
    for query, words in {
        f"?label={label}": "Export 1 contact",
        "?opted_out=1": "Export 1 contact",
        f"?inbox={front_desk}": "Export 5 contacts",
        "?q=555": "Export 3 contacts",
    }.items():
        assert export_link(agent, query) == (words, query)
    assert export_link(agent, "?q=nobody") == ("", "")
    monkeypatch.setattr(lists, "PAGE_SIZE", 1)
    assert export_link(agent, "?q=555") == ("Export these contacts", "?q=555")
    Inbox.objects.filter(pk=cast.dispatch.pk).update(members_export_contacts=True)
    assert export_link(cast.ben, "?q=555") == ("Export from Dispatch", "?q=555")
    assert export_link(cast.cho, "?q=555") == ("", "")


def test_a_large_export_is_written_in_parts(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messaging.contacts.exporting.BATCH", 2)
    fill(cast)
    client = client_of(administrator(cast))
    response = client.get(f"{EXPORT}?inbox={cast.front_desk.pk}")
    assert len(list(response.streaming_content)) == 4  # type: ignore[attr-defined]


def test_a_text_that_is_only_scheduled_is_no_last_text(cast: Cast) -> None:
    schedule_first_text(
        inbox=cast.front_desk,
        author=cast.ana,
        address="+12025550177",
        body="Good morning",
        form_key=uuid.uuid4(),
        send_at=timezone.now() + timedelta(hours=3),
    )
    data = content(client_of(administrator(cast)).get(f"{EXPORT}?inbox={cast.front_desk.pk}"))
    assert [row["Last text"] for row in rows(data)] == [""]
