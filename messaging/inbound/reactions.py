"""Put a tapback's sign on the message that it quotes."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Q, QuerySet

from messaging.models import Message
from messaging.stream import tapbacks

# So many of a thread's newest texts are compared with a quote.
COMPARED = 500

# An uncut quote this long may still be the beginning of a text, which a carrier had split.
SURE_BEGINNING = 12


def read_tapback(message: Message) -> Message | None:
    """Set on an inbound text that is not saved yet what it says if it is a tapback.

    Return the message that it quotes, or None. A keyword is none, nor is a text with files. The
    caller holds the inbox's counter.
    """
    is_bare = not message.keyword and not message.has_attachments
    tapback = tapbacks.read_tapback(message.body) if is_bare else None
    if tapback is None:
        return None
    message.reaction = tapback.sign
    message.is_reaction_removed = tapback.is_removed
    message.reaction_to = _find_quoted(message, tapback)
    return message.reaction_to


def _find_quoted(message: Message, tapback: tapbacks.Tapback) -> Message | None:
    """Return the newest text of the thread that the tapback quotes, or None."""
    texts = Message.objects.filter(thread=message.thread_id, reaction="")
    texts = texts.exclude(kind=Message.Kind.INTERNAL)
    if message.after_id is not None:
        texts = texts.filter(pk__lte=message.after_id)
    if tapback.thing is not None:
        return _newest_with(tapback.thing, texts)
    key = tapbacks.comparison_key(tapback.quote)
    beginning: Message | None = None
    for message, words in _newest_first(texts):
        if words == key and not tapback.is_cut:
            return message
        may_begin = tapback.is_cut or len(key) >= SURE_BEGINNING
        if beginning is None and may_begin and words.startswith(key):
            beginning = message
    return beginning


def _newest_with(thing: tapbacks.Thing, texts: QuerySet[Message]) -> Message | None:
    has_one = Q(picture_count__gt=0)
    if thing == "file":
        has_one |= Q(file_count__gt=0)
    # In Python: the index gives the thread's texts, and few have pictures.
    newest = texts.order_by("-pk").values_list("pk", flat=True)[:COMPARED]
    found = Message.objects.filter(has_one, pk__in=list(newest))
    return found.order_by("-pk").first()


def _newest_first(texts: QuerySet[Message]) -> Iterator[tuple[Message, str]]:
    """Yield texts with what of them is compared."""
    newest = texts.order_by("-pk").only("body", "seq", "reacted_with")[:COMPARED]
    for message in newest.iterator(chunk_size=50):
        if words := tapbacks.comparison_key(message.body):
            yield message, words


def show_reaction(quoted: Message, seq: int) -> None:
    """Show on the message what its tapbacks leave: the last sign, unless it was taken back.

    The caller holds the inbox's counter, whose value is `seq`, and rings.
    """
    sign = ""
    made = Message.objects.filter(reaction_to=quoted)
    for tapback in sorted(made, key=lambda one: one.history_order):
        if not tapback.is_reaction_removed:
            sign = tapback.reaction
        elif tapback.reaction == sign:
            sign = ""
    if sign != quoted.reacted_with:
        Message.objects.filter(pk=quoted.pk).update(reacted_with=sign, seq=seq)
