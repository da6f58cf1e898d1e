"""Record that a contact agreed to get texts, as proof that stays when it ends."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from inboxes import times
from inboxes.models import Agent
from messaging.contacts.consents import InTheFuture, end_consent, record_consent
from messaging.contacts.describing import ContactValues, create_contact
from tests.cast import Cast, client_of
from tests.markup import read_text
from threads.models import Activity, Consent, Contact, Thread

CHECKOUT = "Checkout page"


def today() -> date:
    return timezone.localdate()


def post(agent: Agent, contact: Contact, **fields: Any) -> Any:
    form = {"how": "form", "words": CHECKOUT, "given_on": str(today())}
    return client_of(agent).post(f"/contacts/{contact.pk}/consent/", form | fields)


def lines_of(thread: Thread, agent: Agent) -> str:
    return read_text(client_of(agent).get(f"/threads/{thread.pk}/"))


def test_a_consent_is_recorded_and_shown_in_details(cast: Cast) -> None:
    thread = cast.thread()
    before = thread.inbox.seq
    answer = post(cast.ana, thread.contact)
    assert answer["Location"] == f"/threads/{thread.pk}/"
    consent = Consent.objects.get()
    assert (consent.how, consent.words, consent.recorded_by) == ("form", CHECKOUT, cast.ana)
    page = lines_of(thread, cast.ben)
    assert f"On a web form, {times.format_day(today())}" in page
    assert CHECKOUT in page
    assert "Ana recorded consent to texts, given on a web form" in page
    thread.refresh_from_db()
    assert thread.seq > before


def test_it_can_be_recorded_of_somebody_who_was_never_texted(cast: Cast) -> None:
    contact = create_contact(
        inbox_id=cast.front_desk.pk,
        address="+13035550149",
        values=ContactValues(name="Rosa Delgado"),
        by=cast.ana,
    )
    assert post(cast.ana, contact).status_code == 302
    page = read_text(client_of(cast.ana).get(f"/contacts/{contact.pk}/consent/"))
    assert CHECKOUT in page
    assert "by Ana Ruiz" in page
    assert not Activity.objects.exists()


def test_ending_it_keeps_the_record(cast: Cast) -> None:
    thread = cast.thread()
    post(cast.ana, thread.contact)
    consent = Consent.objects.get()
    client = client_of(cast.ben)
    client.post(f"/consents/{consent.pk}/end/")
    answer = client.post(f"/consents/{consent.pk}/end/")
    assert answer["Location"] == f"/contacts/{thread.contact_id}/consent/"
    consent.refresh_from_db()
    assert consent.ended_by == cast.ben
    assert "Ended by Ben Okafor" in read_text(client.get(answer["Location"]))
    page = lines_of(thread, cast.ana)
    assert "Ben ended the consent to texts, given on a web form" in page
    assert "Record consent…" in page
    kinds = Activity.objects.filter(thread=thread).values_list("kind", flat=True)
    assert list(kinds) == ["consent", "consent"]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"given_on": "2999-01-01"}, "That day hasn't come yet."),
        ({"given_on": "0001-01-01"}, "That's too long ago."),
        ({"given_on": "soon"}, "Enter a valid date."),
        ({"given_on": ""}, "Enter a date."),
        ({"how": "import"}, "Choose how they agreed."),
        ({"how": ""}, "Choose how they agreed."),
        ({"how": "other", "words": " "}, "Say how they agreed."),
        ({"words": "x" * 256}, "Write at most 255 characters; this has 256."),
    ],
)
def test_bad_input_is_said_and_nothing_is_lost(
    cast: Cast, fields: dict[str, str], sentence: str
) -> None:
    answer = post(cast.ana, cast.thread().contact, **fields)
    assert answer.status_code == 422
    assert sentence in read_text(answer)
    kept = fields.get("words", CHECKOUT).strip()
    assert kept in answer.content.decode()
    assert not Consent.objects.exists()


def test_the_day_is_that_of_the_agents_own_zone(cast: Cast) -> None:
    contact = cast.thread().contact
    now = datetime.now(UTC)
    # Of these two, the one is always a day ahead of the other.
    with times.reading("en", "Pacific/Kiritimati"):
        ahead = today()
        record_consent(
            contact=contact, how=Consent.How.PAPER, words="", given_on=ahead, by=cast.ana
        )
    with times.reading("en", "Pacific/Pago_Pago"):
        assert today() < ahead, now
        with pytest.raises(InTheFuture):
            record_consent(
                contact=contact, how=Consent.How.PAPER, words="", given_on=ahead, by=cast.ana
            )
    assert Consent.objects.get().given_at.date() == ahead


def test_it_says_the_same_day_to_readers_everywhere(cast: Cast) -> None:
    thread = cast.thread()
    day = date(2026, 3, 8)
    record_consent(
        contact=thread.contact, how=Consent.How.PHONE, words="", given_on=day, by=cast.ana
    )
    for zone in ("Pacific/Kiritimati", "America/New_York", "Pacific/Pago_Pago"):
        Agent.objects.filter(pk=cast.ana.pk).update(time_zone=zone)
        assert "By phone, Mar 8, 2026" in lines_of(thread, cast.ana)


def test_the_newest_one_that_counts_is_shown(cast: Cast) -> None:
    thread = cast.thread()
    for days, words in [(3, "Old form"), (1, "New form"), (2, "In between")]:
        record_consent(
            contact=thread.contact,
            how=Consent.How.FORM,
            words=words,
            given_on=today() - timedelta(days=days),
            by=cast.ana,
        )
    assert "New form" in lines_of(thread, cast.ana)
    end_consent(consent=Consent.objects.get(words="New form"), by=cast.ana)
    page = lines_of(thread, cast.ana)
    assert "New form" not in page
    assert "In between" in page
