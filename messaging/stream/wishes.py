"""Find threads whose last text may ask for no more texts, which only a person can decide."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import OuterRef, Subquery

from messaging.models import Message
from messaging.stream.keywords import holds_wish_to_opt_out
from threads.models import Thread


def find_wishes(thread_ids: Collection[int]) -> dict[int, int]:
    """Return the text that may hold the wish, by thread; one query for all threads.

    A text that an agent has answered since, or that was understood as a keyword, counts no more.
    Tapbacks say nothing of their own: they may quote how to opt out.
    """
    texts = Message.objects.filter(thread=OuterRef("pk"), is_automatic=False, reaction="")
    newest = texts.exclude(kind=Message.Kind.INTERNAL).order_by("-pk").values("pk")[:1]
    threads = Thread.objects.filter(pk__in=thread_ids).annotate(newest=Subquery(newest))
    unanswered = Message.objects.filter(
        pk__in=threads.values("newest"), kind=Message.Kind.INBOUND, keyword=""
    )
    rows = unanswered.values_list("thread", "pk", "body")
    return {thread_id: pk for thread_id, pk, body in rows if holds_wish_to_opt_out(body)}
