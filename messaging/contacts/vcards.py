"""Read contact cards (RFC 6350, and the older vCard 2.1 and 3.0), and save whom they describe.

A card comes from outside and may hold anything. Only the lines that are shown are handed to the
parser, of each card alone, and what it cannot read is left out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import vobject
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from inboxes import counters
from inboxes.models import Agent
from messaging.contacts.describing import ContactValues, create_contact, describe_contact
from messaging.models import Number
from threads import addresses
from threads.models import Contact

LARGEST_FILE = 2**20  # bytes; pictures in cards are long
LONGEST_LINE = 2_000  # characters of a line that is kept
MOST_CARDS = 20
MOST_NUMBERS = 10  # of a card
_LONGEST_NAME = 120
_LONGEST_EMAIL = 254

# `item1.TEL;TYPE=cell:+1…`: a group, the property, its parameters.
_PROPERTY = re.compile(r"(?:[\w-]+\.)?([A-Za-z-]+)\s*[;:]")
_WANTED = {"N", "FN", "ORG", "TEL", "EMAIL"}


@dataclass(frozen=True, slots=True)
class CardNumber:
    """One telephone number of a card. `address` is empty where it is no number to text to."""

    written: str
    address: str

    @property
    def display(self) -> str:
        return addresses.format_address(self.address) if self.address else self.written


@dataclass(frozen=True, slots=True)
class Card:
    """Hold what one card says of one person."""

    name: str
    company: str
    email: str
    numbers: tuple[CardNumber, ...]

    @property
    def values(self) -> ContactValues:
        return ContactValues(name=self.name, company=self.company, email=self.email)

    @property
    def title(self) -> str:
        return self.name or self.company or "Contact card"


def read_cards(data: bytes) -> list[Card]:
    """Return the cards of a file that say anything; none for what is no card."""
    if len(data) > LARGEST_FILE:
        return []
    cards = []
    for lines in _split_cards(_decode(data)):
        card = _read_card(lines)
        if card is not None:
            cards.append(card)
        if len(cards) == MOST_CARDS:
            break
    return cards


@transaction.atomic
def save_card(*, inbox_id: int, card: Card, address: str, by: Agent) -> Contact:
    """Add the person as a contact of the inbox, or fill in what it doesn't know of them yet.

    Raises NotSavable.
    """
    counters.next_inbox_seq(inbox_id)
    if Number.objects.filter(address=address).exists():
        raise NotSavable("That is one of our own numbers.")
    known = Contact.objects.filter(inbox=inbox_id, address=address).first()
    if known is None:
        return create_contact(inbox_id=inbox_id, address=address, values=card.values, by=by)
    return describe_contact(contact=known, values=fill_gaps(known, card), by=by)


class NotSavable(Exception):
    """Raised for a number that can be nobody's; the message is for the agent."""


def fill_gaps(contact: Contact, card: Card) -> ContactValues:
    """Return what is known of the contact, and of the card what isn't."""
    return ContactValues.of(contact).filling_gaps(card.values)


def _decode(data: bytes) -> str:
    """Return the text. Old phones write the encoding of their country, and don't say so."""
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _split_cards(text: str) -> Iterator[list[str]]:
    """Yield the wanted lines of each card, unfolded. A card without an end is none."""
    lines: list[str] | None = None
    for line in _unfold(text):
        word = line.strip().upper()
        if word == "BEGIN:VCARD":
            lines = []
        elif word == "END:VCARD" and lines is not None:
            yield lines
            lines = None
        elif lines is not None and _is_wanted(line):
            lines.append(line)


def _unfold(text: str) -> Iterator[str]:
    """Yield whole lines: one that begins with white space continues the one before, and so does
    one behind `=` in quoted-printable text."""
    parts: list[str] = []
    is_quoted = False
    for line in re.split(r"\r\n|\r|\n", text):
        is_soft = is_quoted and parts[-1].endswith("=")
        if parts and (line[:1] in {" ", "\t"} or is_soft):
            if is_soft:
                parts[-1] = parts[-1][:-1]
            parts.append(line if is_soft else line[1:])
            continue
        if parts:
            yield "".join(parts)
        parts = [line]
        is_quoted = "QUOTED-PRINTABLE" in line[:200].upper()
    yield "".join(parts)


def _is_wanted(line: str) -> bool:
    found = _PROPERTY.match(line[:80])
    return found is not None and found[1].upper() in _WANTED and len(line) <= LONGEST_LINE


def _read_card(lines: list[str]) -> Card | None:
    """Return what the lines say. The parser gets one line at a time: a bad one spoils no other."""
    found: dict[str, list[Any]] = {name: [] for name in _WANTED}
    for line in lines:
        name, value = _read_line(line)
        if name in found and value:
            found[name].append(value)
    company = _tidy(_first_part(found["ORG"]))
    name = _tidy(_first_part(found["FN"]) or _join_name(found["N"]))
    numbers = _read_numbers([str(one) for one in found["TEL"]])
    card = Card(name, company, _read_email(found["EMAIL"]), numbers)
    return card if name or company or numbers else None


def _read_line(line: str) -> tuple[str, Any]:
    try:
        parsed = vobject.readOne(f"BEGIN:VCARD\r\nVERSION:3.0\r\n{line}\r\nEND:VCARD\r\n")
        [content] = [one for one in parsed.getChildren() if one.name != "VERSION"]
    except Exception:  # noqa: BLE001  what it raises for what is no card is not documented
        return "", None
    return content.name, content.value


def _first_part(values: list[Any]) -> str:
    """Return the first value; an organization is a list, from the company to its departments."""
    if not values:
        return ""
    first = values[0]
    return str(first[0] if isinstance(first, list) and first else first)


def _join_name(values: list[Any]) -> str:
    """Return given and family name; a part of several words is a list."""
    if not values:
        return ""
    parts = [getattr(values[0], part, "") for part in ("given", "additional", "family")]
    return " ".join(" ".join(one) if isinstance(one, list) else str(one) for one in parts)


def _tidy(text: str) -> str:
    """Return one line without control and direction characters, as long as a name may be."""
    line = " ".join(text.split())
    plain = "".join(c for c in line if unicodedata.category(c)[0] != "C")
    return " ".join(plain.split())[:_LONGEST_NAME].strip()


def _read_numbers(values: list[str]) -> tuple[CardNumber, ...]:
    """Return the numbers, each once."""
    found: dict[str, CardNumber] = {}
    for value in values:
        written = _tidy(value.removeprefix("tel:"))
        if not written:
            continue
        try:
            address = addresses.parse_typed_number(written)
        except addresses.InvalidNumber:
            address = ""
        found.setdefault(address or written, CardNumber(written, address))
    return tuple(found.values())[:MOST_NUMBERS]


def _read_email(values: list[Any]) -> str:
    for value in values:
        email = _tidy(str(value))
        try:
            validate_email(email)
        except ValidationError:
            continue
        if len(email) <= _LONGEST_EMAIL:
            return email
    return ""
