"""Answer keywords with texts that no agent wrote: the help text and the confirmation."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from messaging.models import DeliveryState, Message, Number, OptOut
from messaging.models.opt_outs import CONFIRMATION_TIME
from messaging.stream import writing
from messaging.stream.jobs import defer_delivery
from messaging.stream.refusals import find_refusal
from threads.models import Thread

# Between two help texts to one contact, lest two machines text each other for ever.
HELP_PAUSE = timedelta(minutes=10)

# In GSM-7, so that each is one segment.
CONFIRMATION = (
    "You're unsubscribed and will get no more texts from this number. "
    "Reply START to get them again."
)
CONFIRMATION_FOR_ALL = (
    "You're unsubscribed and will get no more texts from us. Reply START to get them again."
)


def send_help_text(thread: Thread, question: Message) -> None:
    """Answer HELP with the inbox's help text, unless the carrier does or no text may be sent."""
    number = Number.objects.select_related("account").get(inbox=thread.inbox_id)
    words = thread.inbox.help_text
    recent = Message.objects.filter(
        thread=thread,
        is_automatic=True,
        body=words,
        created_at__gt=timezone.now() - HELP_PAUSE,
    )
    if (
        not words
        or number.account.adapter.answers_help_to(number.address)
        or find_refusal(thread)
        or recent.exists()
    ):
        return
    queue_automatic_text(thread, words, seq=question.seq)


def confirm_opt_out(opt_out: OptOut, thread: Thread, request: Message) -> None:
    """Send the one text that may follow an opt-out, where the carrier sends none.

    The caller holds the inbox's counter, has just recorded the opt-out, and knows that nothing
    else keeps texts of the thread back.
    """
    inbox = thread.inbox
    number = Number.objects.select_related("account").get(inbox=inbox)
    word = request.body.strip().lower()
    is_too_late = timezone.now() >= opt_out.since + CONFIRMATION_TIME
    if (
        not inbox.confirms_opt_outs
        or is_too_late
        or number.account.adapter.confirms_opt_out(word, number.address)
    ):
        return
    default = CONFIRMATION_FOR_ALL if opt_out.is_for_all else CONFIRMATION
    opt_out.confirmation = queue_automatic_text(
        thread, inbox.opt_out_text or default, seq=request.seq
    )
    opt_out.save(update_fields=["confirmation"])


def queue_automatic_text(thread: Thread, body: str, *, seq: int, notifies: bool = True) -> Message:
    """Record a text that no agent wrote, and queue the job that sends it.

    The caller holds the inbox's counter, whose value is `seq`. It answers nobody: whoever waits
    for a reply waits on.
    """
    message = writing.record_message(
        writing.new_message(
            thread,
            seq=seq,
            kind=Message.Kind.OUTBOUND,
            is_automatic=True,
            body=body,
            state=DeliveryState.QUEUED,
        ),
        notifies=notifies,
    )
    defer_delivery(thread.pk)
    return message
