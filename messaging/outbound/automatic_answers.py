"""Answer texts that come in while an inbox is closed, and greet whoever writes for the first time.

It happens in the transaction that stores the text, under the inbox's counter. Two of our inboxes
that text each other stop after one answer each: a contact is answered once in a closed period.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from typing import NamedTuple

from django.utils import timezone

from inboxes.hours.opening import Hours
from inboxes.hours.texts import fill_text
from inboxes.hours.words import opening_in_words
from inboxes.models.inboxes import EPOCH
from messaging.models import AutomaticAnswer, Message
from messaging.outbound.automatic import queue_automatic_text
from messaging.stream import statements
from messaging.stream.machine_texts import seems_automatic
from messaging.stream.refusals import number_or_refusal, too_long_sentence
from threads import addresses
from threads.first_names import read_first_name
from threads.models import Contact, Thread


class Settings(NamedTuple):
    """Hold what FIND_ANSWERS reads, in its order."""

    answers_when_closed: bool
    greets: bool
    weekly_hours: str  # as JSON
    time_zone: str
    holiday_region: str
    closed_days: list[date]
    contact_kind: str
    answered_at: datetime | None  # when the contact was last told that the inbox is closed


class Due(NamedTuple):
    """Hold an answer that a text gets: which one, for which period, and what `{opens}` stands
    for."""

    kind: AutomaticAnswer.Kind
    period_start: datetime
    opens: str = ""


def answer_text(message: Message) -> Message | None:
    """Answer a text that has just come in, if it is due; return the answer.

    The caller holds the inbox's counter, and has recorded the text.
    """
    if not _may_be_answered(message):
        return None
    row = statements.fetch_row(statements.FIND_ANSWERS, {"thread": message.thread_id})
    if row is None:
        return None
    due = _find_due(Settings(*row), message)
    return _send(due, message) if due is not None else None


def _may_be_answered(message: Message) -> bool:
    """Return False for keywords, tapbacks, late texts, group texts and those of machines."""
    return not (
        message.keyword
        or message.reaction
        or message.is_late
        or message.is_to_group
        or seems_automatic(message.body)
    )


def _find_due(settings: Settings, message: Message) -> Due | None:
    """Return what is due: when closed that answer, else a greeting to a new contact."""
    if settings.contact_kind != Contact.Kind.PHONE:
        return None
    if settings.answers_when_closed:
        hours = Hours.from_columns(
            json.loads(settings.weekly_hours),
            settings.time_zone,
            settings.holiday_region,
            settings.closed_days,
        )
        period = hours.closed_period(timezone.now())
        if period is not None:
            if settings.answered_at is not None and settings.answered_at >= period.start:
                return None
            opens = opening_in_words(hours, period.end)
            return Due(AutomaticAnswer.Kind.CLOSED, period.start, opens)
    is_first = message.position == 1
    return Due(AutomaticAnswer.Kind.GREETING, EPOCH) if settings.greets and is_first else None


def _send(due: Due, message: Message) -> Message | None:
    """Queue the answer, unless a text can't be sent to the contact."""
    thread = Thread.objects.select_related("contact", "inbox").get(pk=message.thread_id)
    number, _ = number_or_refusal(thread)
    words = _WORDS[due.kind](thread)
    if number is None or not words:
        return None
    contact = thread.contact
    body = fill_text(
        words,
        {
            "inbox": thread.inbox.name,
            "contact": contact.name,
            "first name": read_first_name(contact.name, contact.company),
            "number": addresses.format_address(number.address),
            "opens": due.opens,
        },
    )
    if not body or too_long_sentence(body, number):
        return None
    answer, is_new = AutomaticAnswer.objects.get_or_create(
        thread=thread, kind=due.kind, period_start=due.period_start
    )
    if not is_new:
        return None
    answer.message = queue_automatic_text(thread, body, seq=message.seq, notifies=False)
    answer.save(update_fields=["message"])
    return answer.message


_WORDS: dict[AutomaticAnswer.Kind, Callable[[Thread], str]] = {
    AutomaticAnswer.Kind.CLOSED: lambda thread: thread.inbox.closed_text,
    AutomaticAnswer.Kind.GREETING: lambda thread: thread.inbox.greeting_text,
}
