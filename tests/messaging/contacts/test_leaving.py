"""Whoever was removed from an inbox in this moment writes nothing more about its contacts."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.http import Http404

from inboxes.actions import remove_member
from messaging.contacts.consents import end_consent, record_consent
from messaging.contacts.describing import ContactValues, create_contact, describe_contact
from messaging.contacts.vcards import Card, save_card
from messaging.models import OptOut
from messaging.outbound.opt_outs import end_opt_outs, end_opt_outs_of_thread, record_opt_out
from tests.cast import CUSTOMER, FRONT_DESK, Cast
from threads.models import Activity, Consent, Contact

OTHER = "+12025550155"
CARD = Card("Anna", "Gruber & Co", "", ())
VALUES = ContactValues(name="Anna")


def test_somebody_who_was_removed_meanwhile_writes_nothing_about_contacts(cast: Cast) -> None:
    thread = cast.thread()
    contact, inbox_id, by = thread.contact, cast.front_desk.pk, cast.ben
    consent: dict[str, Any] = {"how": Consent.How.PHONE, "words": "", "given_on": date(2026, 1, 2)}
    given = record_consent(contact=contact, by=by, **consent)
    out = record_opt_out(our_address=FRONT_DESK, address=CUSTOMER)
    pair: dict[str, Any] = {"our_address": FRONT_DESK, "inbox_id": inbox_id, "by": by}
    remove_member(inbox=cast.front_desk, agent=by, changed_by=cast.admin)
    for write in (
        lambda: record_consent(contact=contact, by=by, **consent),
        lambda: end_consent(consent=given, by=by),
        lambda: describe_contact(contact=contact, values=VALUES, by=by),
        lambda: create_contact(inbox_id=inbox_id, address=OTHER, values=VALUES, by=by),
        lambda: save_card(inbox_id=inbox_id, card=CARD, address=OTHER, by=by),
        lambda: save_card(inbox_id=inbox_id, card=CARD, address=CUSTOMER, by=by),
        lambda: end_opt_outs(address=CUSTOMER, reason="x", **pair),
        lambda: end_opt_outs_of_thread(thread=thread, by=by, reason="x"),
        lambda: record_opt_out(address=OTHER, source=OptOut.Source.MEMBER, **pair),
    ):
        with pytest.raises(Http404):
            write()
    assert list(Contact.objects.values_list("address", "name")) == [(CUSTOMER, "")]
    assert list(Consent.objects.values_list("pk", "ended_at")) == [(given.pk, None)]
    assert list(OptOut.objects.values_list("pk", "ended_at")) == [(out.pk, None)]
    assert Activity.objects.filter(actor=by).count() == 1
