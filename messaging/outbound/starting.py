"""Start a conversation with a first text, in the existing thread if there is one."""

from __future__ import annotations

import uuid

from django.db import transaction

from inboxes import counters
from inboxes.models import Agent, Inbox
from messaging.models import Message, Number
from messaging.outbound.sending import SendingRefused, message_of_form, queue_message
from messaging.stream import writing
from messaging.stream.mentions import find_mentions, mentionable_agents
from threads import addresses
from threads.actions import change_state
from threads.models import Thread


class NumberRefused(SendingRefused):
    """The inbox can send no text to anybody now."""


class MentionRefused(SendingRefused):
    """The first text mentions a colleague, so it would be internal and reach nobody outside."""


@transaction.atomic
def start_conversation(
    *, inbox: Inbox, author: Agent, address: str, body: str, form_key: uuid.UUID
) -> Message:
    """Queue a text from the inbox's number to a normalised address.

    The same form sent twice returns the first message, and two agents who write to the same
    address at once share a thread. The agent's draft in that thread is kept. Raises NumberRefused,
    MentionRefused, or SendingRefused for reasons that concern the contact.
    """
    seq = counters.next_inbox_seq(inbox.pk)
    earlier = message_of_form(author, form_key)
    if earlier is not None:
        return earlier
    number = _sending_number(inbox)
    mentions = find_mentions(body, mentionable_agents(inbox, author), author)
    if mentions:
        mention = body[mentions[0].start : mentions[0].end]
        raise MentionRefused(f"Mentions are for your team only. Remove {mention} to send this.")
    thread_id = writing.get_or_create_thread(
        inbox_id=inbox.pk, sender=address, our_address=number.address, seq=seq
    )
    thread = Thread.objects.select_related("contact", "inbox").get(pk=thread_id)
    message = writing.new_message(
        thread,
        seq=seq,
        kind=Message.Kind.OUTBOUND,
        author=author,
        body=body,
        form_key=form_key,
    )
    queue_message(message)
    change_state(
        thread=thread,
        agent=author,
        last_read_id=message.pk,
        read_count=message.position,
        is_marked_unread=False,
    )
    return message


def _sending_number(inbox: Inbox) -> Number:
    number = Number.objects.select_related("account").filter(inbox=inbox).first()
    if number is None:
        raise NumberRefused(f"{inbox.name} has no number to text from. Ask an administrator.")
    if not number.account.is_on:
        ours = addresses.format_address(number.address)
        raise NumberRefused(f"The carrier account for {ours} is turned off. Ask an administrator.")
    return number
