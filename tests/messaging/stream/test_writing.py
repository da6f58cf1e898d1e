"""Write messages and their changes under the inbox's change counter."""

from __future__ import annotations

from django.db import transaction

from inboxes import counters
from messaging.models import Message
from messaging.stream import writing
from tests.cast import Cast


def test_a_changed_message_carries_the_counter_of_its_change(cast: Cast) -> None:
    message = cast.text_in("Hello?")
    with transaction.atomic():
        seq = counters.next_inbox_seq(message.inbox_id)
        writing.change_message(message, seq, reason="Changed.")
    stored = Message.objects.get(pk=message.pk)
    assert seq > cast.front_desk.seq
    assert (stored.seq, stored.reason) == (seq, "Changed.")
