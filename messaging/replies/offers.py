"""The saved replies that an agent may insert in one conversation, filled for it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q
from django.http import Http404

from inboxes.models import Agent, Inbox
from messaging.models import SavedReply
from messaging.models.saved_replies import ONLY_ME
from messaging.replies import placeholders
from messaging.replies.values import read_values
from threads.models import Contact

# A page narrows so many by itself; with more it asks for those with the words that are typed.
MOST = 200


@dataclass(frozen=True, slots=True)
class Offer:
    """Hold one saved reply as the listbox shows it.

    `body` is `written` with the `values` in it.
    """

    id: int
    name: str
    body: str
    written: str
    values: dict[str, str]
    owner: str
    unfilled: list[str]
    files: int


@dataclass(frozen=True, slots=True)
class Offers:
    """Hold what the listbox can show, and what placeholders that are typed by hand stand for."""

    replies: list[Offer]
    values: dict[str, str]
    has_more: bool


def list_offers(inbox: Inbox, agent: Agent, contact: Contact | None, words: str = "") -> Offers:
    """Return those of the inbox and the agent's own, the most used first, at most MOST.

    Words keep those with all of them in name or body.
    """
    values = read_values(inbox, agent, contact)
    replies = SavedReply.objects.offered_in(inbox, agent).by_use()
    for word in words.split():
        replies = replies.filter(Q(name__icontains=word) | Q(body__icontains=word))
    found = list(replies.prefetch_related("files")[: MOST + 1])
    offers = []
    for reply in found[:MOST]:
        body = placeholders.fill(reply.body, values)
        offers.append(
            Offer(
                id=reply.pk,
                name=reply.name,
                body=body,
                written=reply.body,
                values=placeholders.pick_values(reply.body, values),
                owner=ONLY_ME if reply.inbox_id is None else inbox.name,
                unfilled=placeholders.find_unfilled(body),
                files=len(reply.files.all()),
            )
        )
    return Offers(offers, values, has_more=len(found) > MOST)


def get_offered_reply(agent: Agent, inbox: Inbox | None, reply_id: int) -> SavedReply:
    """Return the reply if the agent may insert it in the inbox. Raises Http404.

    Without an inbox it may be any that the agent sees.
    """
    replies = SavedReply.objects.visible_to(agent)
    if inbox is not None:
        replies = replies.offered_in(inbox, agent)
    reply = replies.filter(pk=reply_id).first()
    if reply is None:
        raise Http404("No such reply.")
    return reply
