"""Find mentions: `@` and a member's handle, between word boundaries."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from inboxes.models import Agent, Inbox
from threads.words import fold_text

# A handle has the characters of Django's usernames. A word before the @ makes it an address, as in
# name@host.
_HANDLE = re.compile(r"(?<![\w@.+-])@([\w.@+-]+)")


@dataclass(frozen=True, slots=True)
class Mention:
    """Hold the span of a mention in the body, in characters and with the @."""

    start: int
    end: int
    agent_id: int


def find_mentions(body: str, people: Iterable[Agent], author: Agent) -> list[Mention]:
    """Return the mentions of these people in the body.

    Case is ignored. The longest handle that ends at a word boundary wins, so that a full stop
    after a handle does not belong to it. Authors cannot mention themselves.
    `static/js/composer/mentions.js` finds the same mentions.
    """
    handles = {person.username.casefold(): person.pk for person in people}
    handles[author.username.casefold()] = author.pk
    found = []
    for match in _HANDLE.finditer(body):
        characters = match.group(1)
        for length in range(len(characters), 0, -1):
            agent_id = handles.get(characters[:length].casefold())
            if agent_id is not None and not _continues_word(characters[length:]):
                if agent_id != author.pk:
                    found.append(Mention(match.start(), match.start() + 1 + length, agent_id))
                break
    return found


def _continues_word(rest: str) -> bool:
    return bool(rest) and (rest[0].isalnum() or rest[0] == "_")


def mentionable_agents(inbox: Inbox, author: Agent) -> list[Agent]:
    """Return the inbox's other active members; none on a personal line."""
    if inbox.is_personal:
        return []
    members = Agent.objects.filter(memberships__inbox=inbox, is_active=True)
    return list(members.exclude(pk=author.pk).order_by("display_name", "pk"))


def search_words(person: Agent) -> list[str]:
    """Return the folded words of a person's name and handle, which typed letters may begin."""
    names = [person.display_name, person.username]
    return [
        fold_text(name) for text in names for name in (text, *re.split(r"[\W_]+", text)) if name
    ]


def match_agents(people: Iterable[Agent], letters: str) -> Sequence[Agent]:
    """Return the people whom the letters typed after the @ may mean."""
    prefix = fold_text(letters)
    return [p for p in people if any(word.startswith(prefix) for word in search_words(p))]
