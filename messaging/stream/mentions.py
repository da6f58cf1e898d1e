"""Find mentions: `@` and a member's handle, in texts of any script.

Texts and handles are compared after Unicode's NFKC and without case. An ASCII letter or digit
before the @ makes it an address, as in name@host, and one behind a handle continues the word, as
in @benjamin. Any other character may stand there: scripts without spaces have no other boundary.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from inboxes.models import Agent, Inbox
from threads.folding import fold_case, fold_text

# A character with those behind it that NFKC may compose with it. Half-width voicing marks, and
# vowels and finals of Korean, compose although they are letters.
_JOINING = re.compile("[\u1160-\u11ff\ud7b0-\ud7ff]")
_ASCII_ALPHANUMERIC = re.compile("[A-Za-z0-9]")


@dataclass(frozen=True, slots=True)
class Mention:
    """Hold the span of a mention in the body, in characters and with the @."""

    start: int
    end: int
    agent_id: int


@dataclass(frozen=True, slots=True)
class _Letter:
    """Hold one character of a normalised text, and the span in the text that it comes from."""

    character: str
    folded: str
    start: int
    end: int


def find_mentions(body: str, people: Iterable[Agent], author: Agent) -> list[Mention]:
    """Return the mentions of these people in the body.

    The longest known handle wins. Authors cannot mention themselves.
    `static/js/composer/mentions.js` finds the same mentions.
    """
    handles = {fold_handle(person.username): person.pk for person in people}
    handles[fold_handle(author.username)] = author.pk
    letters = list(_normalise(body))
    found = []
    index = 0
    while index < len(letters):
        match = _match_handle(letters, index, handles)
        if match is None:
            index += 1
            continue
        agent_id, behind = match
        if agent_id != author.pk:
            found.append(Mention(letters[index].start, letters[behind - 1].end, agent_id))
        index = behind
    return found


def fold_handle(handle: str) -> str:
    """Return a handle, or text after an @, as it is compared."""
    return "".join(letter.folded for letter in _normalise(handle))


def _match_handle(
    letters: Sequence[_Letter], index: int, handles: dict[str, int]
) -> tuple[int, int] | None:
    """Return who is mentioned by the @ at the index, and the index behind the longest handle."""
    if letters[index].character != "@" or _is_word(letters, index - 1):
        return None
    longest = max(map(len, handles))
    typed, found = "", None
    for behind in range(index + 2, len(letters) + 1):
        typed += letters[behind - 1].folded
        if len(typed) > longest:
            break
        if typed in handles and not _is_word(letters, behind):
            found = handles[typed], behind
    return found


def _is_word(letters: Sequence[_Letter], index: int) -> bool:
    """Return True if an ASCII letter or digit stands at the index."""
    inside = 0 <= index < len(letters)
    return inside and _ASCII_ALPHANUMERIC.fullmatch(letters[index].character) is not None


def _normalise(text: str) -> Iterator[_Letter]:
    start = 0
    for end in range(1, len(text) + 1):
        if end < len(text) and _joins(text[end]):
            continue
        for character in unicodedata.normalize("NFKC", text[start:end]):
            yield _Letter(character, fold_case(character), start, end)
        start = end


def _joins(character: str) -> bool:
    """Return True if NFKC may compose the character with the one before it."""
    if character.isascii():
        return False
    first = unicodedata.normalize("NFKC", character)[0]
    return unicodedata.category(first)[0] == "M" or _JOINING.fullmatch(first) is not None


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
