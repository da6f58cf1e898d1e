"""Who is called in by a message: `@` and a member's handle, between word borders."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from inboxes.models import Agent, Inbox
from threads.words import fold_text

# What may stand in a handle, as Django's usernames have it. A word before the @ makes it an
# address, like name@host.
_HANDLE = re.compile(r"(?<![\w@.+-])@([\w.@+-]+)")


@dataclass(frozen=True, slots=True)
class Mention:
    """A stretch of the body, in characters, the @ included."""

    start: int
    end: int
    agent_id: int


def find_mentions(body: str, people: Iterable[Agent], author: Agent) -> list[Mention]:
    """Each place where one of these people is mentioned. Case is ignored; the longest handle
    that ends at a word border wins, so that a full stop behind a handle is none of it. Whoever
    names themselves calls nobody. `static/js/composer/mentions.js` finds the same ones."""
    handles = {person.username.casefold(): person.pk for person in people}
    handles[author.username.casefold()] = author.pk
    found = []
    for call in _HANDLE.finditer(body):
        run = call.group(1)
        for length in range(len(run), 0, -1):
            agent_id = handles.get(run[:length].casefold())
            if agent_id is not None and not _continues_word(run[length:]):
                if agent_id != author.pk:
                    found.append(Mention(call.start(), call.start() + 1 + length, agent_id))
                break
    return found


def _continues_word(rest: str) -> bool:
    return bool(rest) and (rest[0].isalnum() or rest[0] == "_")


def mentionable_agents(inbox: Inbox, author: Agent) -> list[Agent]:
    """The inbox's other members; on a personal line nobody."""
    if inbox.is_personal:
        return []
    members = Agent.objects.filter(memberships__inbox=inbox, is_active=True)
    return list(members.exclude(pk=author.pk).order_by("display_name", "pk"))


def search_words(person: Agent) -> list[str]:
    """What a few letters behind the @ are held against: each begins with a word of the name or
    of the handle, ignoring case and accents."""
    names = [person.display_name, person.username]
    return [
        fold_text(name) for text in names for name in (text, *re.split(r"[\W_]+", text)) if name
    ]


def match_agents(people: Iterable[Agent], letters: str) -> Sequence[Agent]:
    """Those whom the letters behind the @ may mean."""
    wanted = fold_text(letters)
    return [p for p in people if any(word.startswith(wanted) for word in search_words(p))]
