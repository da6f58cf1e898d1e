"""Read what the region *Details* tells of a contact, with or without a thread."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone

from inboxes import times
from messaging.contacts.blocking import block_contact
from messaging.contacts.describing import ContactValues, create_contact
from messaging.contacts.details import details_of_contact, details_of_threads
from messaging.models import Message, OptOut
from messaging.outbound.opt_outs import record_opt_out
from messaging.stream.refusals import find_opt_outs
from tests.cast import CUSTOMER, FRONT_DESK, Cast, client_of
from tests.markup import read_text
from threads.models import Contact, Thread

ROSA = "+13035550149"


def details_on_page(cast: Cast, thread: Thread) -> str:
    """Return the words of the region, as ana's page has them."""
    page = client_of(cast.ana).get(f"/threads/{thread.pk}/")
    words = read_text(page)
    return words[words.rindex("Details") :]


def add_contact(cast: Cast) -> Contact:
    values = ContactValues(name="Rosa Delgado", company="Delgado Dryers", email="rosa@example.com")
    return create_contact(inbox_id=cast.front_desk.pk, address=ROSA, values=values, by=cast.ana)


def test_all_that_members_know_is_shown(cast: Cast) -> None:
    thread = cast.thread(sender=ROSA)
    Contact.objects.filter(pk=thread.contact_id).update(
        name="Rosa Delgado",
        company="Delgado Dryers",
        email="rosa@example.com",
        reference="Order 88-0931",
        note="Prefers a call after 5 PM",
    )
    page = client_of(cast.ana).get(f"/threads/{thread.pk}/")
    assert 'href="tel:+13035550149"' in page.content.decode()
    assert 'href="mailto:rosa@example.com"' in page.content.decode()
    shown = details_on_page(cast, thread)
    for words in ("Rosa Delgado", "Delgado Dryers", "Order 88-0931", "Prefers a call after 5 PM"):
        assert words in shown
    assert "None on record" in shown


def test_the_local_time_is_that_of_the_contact(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = cast.thread(sender=ROSA)
    late = datetime(2026, 11, 29, 5, 12, tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: late)
    assert "10:12 PM Denver time" in details_on_page(cast, thread)
    Contact.objects.filter(pk=thread.contact_id).update(time_zone="Europe/Paris")
    assert "6:12 AM Paris time" in details_on_page(cast, thread)


def test_an_opt_out_is_told_with_its_whole_record(cast: Cast) -> None:
    thread = cast.thread()
    stop = cast.text_in("please stop")
    shown = details_on_page(cast, thread)
    assert "Opted out of Front Desk" in shown
    at = times.format_time(stop.created_at, "past")
    assert f"They texted “please stop”, {at}." in shown
    assert "The one confirmation is on its way" in shown
    Message.objects.filter(is_automatic=True).update(state="sent")
    assert "The one confirmation went out" in details_on_page(cast, thread)
    page = client_of(cast.ana).get(f"/threads/{thread.pk}/").content.decode()
    assert f'href="/threads/{thread.pk}/?at={stop.pk}"' in page
    assert "End opt-out…" in shown


def test_colleagues_of_another_inbox_do_not_read_the_words_of_a_text(cast: Cast) -> None:
    other = cast.thread(to="+12025550111")
    cast.thread()
    cast.text_in("please stop")
    OptOut.objects.update(is_for_all=True)
    shown = details_on_page(cast, other)
    assert "Opted out of all our numbers" in shown
    assert "They texted it" in shown
    assert "please stop" not in shown
    assert "See the message" not in shown


def test_a_contact_without_a_thread_has_details_too(cast: Cast) -> None:
    about = details_of_contact(add_contact(cast))
    assert about.thread is None
    assert about.opt_out is None
    record_opt_out(our_address=FRONT_DESK, address=ROSA, by=cast.ana)
    about = details_of_contact(about.contact)
    assert about.opt_out is not None
    assert about.opt_out.opt_out.recorded_by == cast.ana


def test_an_opt_out_of_somebody_never_texted_is_recorded_and_ended(cast: Cast) -> None:
    contact = add_contact(cast)
    client, here = client_of(cast.ana), f"/contacts/{contact.pk}/opt-out/"
    assert "Record opt-out" in read_text(client.get(here))
    assert client.post(here, {"how": "phone"}).status_code == 302
    opt_out = OptOut.objects.get()
    assert (opt_out.our_address, opt_out.address) == (FRONT_DESK, ROSA)
    assert (opt_out.recorded_by, opt_out.reason) == (cast.ana, "Asked by phone")
    assert "End opt-out" in read_text(client.get(here))
    assert client.post(f"{here}end/", {"reason": ""}).status_code == 422
    assert client.post(f"{here}end/", {"reason": "They called"}).status_code == 302
    opt_out.refresh_from_db()
    assert (opt_out.ended_by, opt_out.end_reason) == (cast.ana, "They called")


def test_an_opt_out_moves_its_thread_so_that_open_pages_show_it(cast: Cast) -> None:
    thread = cast.thread()
    before = thread.seq
    record_opt_out(our_address=FRONT_DESK, address=CUSTOMER, by=cast.ana)
    thread.refresh_from_db()
    assert thread.seq > before


def test_who_blocked_a_contact_is_told(cast: Cast) -> None:
    thread = cast.thread()
    assert "Block" in details_on_page(cast, thread)
    block_contact(contact=thread.contact, by=cast.ben)
    shown = details_on_page(cast, thread)
    assert "Ben Okafor blocked this contact today at" in shown
    assert "Unblock" in shown


def test_details_of_many_threads_take_as_few_queries_as_of_one(
    cast: Cast, django_assert_num_queries: Any
) -> None:
    senders = [f"+1303555010{digit}" for digit in range(4)]
    threads = [cast.thread(sender=sender) for sender in senders]
    loaded = list(Thread.objects.for_rows().filter(pk__in=[one.pk for one in threads]))
    record_opt_out(our_address=FRONT_DESK, address=senders[0], by=cast.ana)
    opt_outs = find_opt_outs(loaded)
    with django_assert_num_queries(2):
        found = details_of_threads(loaded, opt_outs)
    assert len(found) == 4
    assert found[threads[0].pk].opt_out is not None


def test_the_local_time_is_corrected_in_the_form(cast: Cast) -> None:
    thread = cast.thread(sender=ROSA)
    client, here = client_of(cast.ana), f"/threads/{thread.pk}/contact/"
    page = client.get(here).content.decode()
    assert '<option value="Europe/Paris">' in page
    form = {"name": "Rosa", "known_name": "", "known_time_zone": ""}
    answer = client.post(here, form | {"time_zone": "Europe/Atlantis"})
    assert "Choose a time zone from the list." in read_text(answer)
    assert client.post(here, form | {"time_zone": "Europe/Paris"}).status_code == 302
    assert "Paris time" in details_on_page(cast, thread)
    assert '<option value="Europe/Paris" selected>' in client.get(here).content.decode()
    Contact.objects.filter(pk=thread.contact_id).update(time_zone="US/Mountain")
    assert '<option value="US/Mountain" selected>' in client.get(here).content.decode()
    form |= {"known_name": "Rosa", "known_time_zone": "US/Mountain", "time_zone": ""}
    client.post(here, form)
    assert "Denver time" in details_on_page(cast, thread)
