"""Read contact cards (RFC 6350, and the older vCard 2.1 and 3.0), and save whom they describe.

A card comes from outside and may hold anything. Only the lines that are shown are kept, so many of
them, and what cannot be read is left out. No library reads them: see `card_lines`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from inboxes.models import Agent
from messaging.contacts.card_lines import Line, read_line, read_name, unfold
from messaging.contacts.describing import ContactValues, create_contact, describe_contact
from messaging.models import Number
from messaging.work.labels import take_counter
from threads import addresses
from threads.models import Contact

LARGEST_FILE = 2**20  # bytes; pictures in cards are long
LONGEST_LINE = 2_000  # characters of a line that is kept
MOST_CARDS = 20
MOST_LINES_OF_CARD = 50  # that are kept
MOST_LINES_OF_FILE = 500
MOST_NUMBERS = 10  # of a card
_LONGEST_NAME = 120
_LONGEST_EMAIL = 254

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

    Raises NotSavable, and Http404 if the agent has left the inbox.
    """
    take_counter(inbox_id, by)
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
    """Yield the wanted lines of each card that has any. A card without an end is none."""
    lines: list[str] | None = None
    left = MOST_LINES_OF_FILE
    for line in unfold(text):
        word = line[:20].strip().upper()
        if word == "BEGIN:VCARD":
            lines = []
        elif word == "END:VCARD":
            if lines:
                yield lines
            lines = None
            if not left:
                return
        elif lines is not None and left and len(lines) < MOST_LINES_OF_CARD and _is_wanted(line):
            lines.append(line)
            left -= 1


def _is_wanted(line: str) -> bool:
    return len(line) <= LONGEST_LINE and read_name(line) in _WANTED


def _read_card(lines: Sequence[str]) -> Card | None:
    """Return what the lines say. Each is read by itself: a bad one spoils no other."""
    found: dict[str, list[Line]] = {name: [] for name in _WANTED}
    for written in lines:
        line = read_line(written)
        if line is not None and line.value.strip():
            found[line.name].append(line)
    # An organization goes from the company to its departments.
    company = _first([line.parts[0] for line in found["ORG"]])
    name = _first([line.text for line in found["FN"]] + [_join_name(one) for one in found["N"]])
    numbers = _read_numbers([line.text for line in found["TEL"]])
    email = _read_email([line.text for line in found["EMAIL"]])
    return Card(name, company, email, numbers) if name or company or numbers else None


def _join_name(line: Line) -> str:
    """Return given and family name; commas stand between the words of either."""
    family, given, additional = [*line.parts, "", "", ""][:3]
    return f"{given} {additional} {family}".replace(",", " ")


def _first(texts: Sequence[str]) -> str:
    """Return the first that says anything."""
    return next((tidy for text in texts if (tidy := _tidy(text))), "")


def _tidy(text: str) -> str:
    """Return one line without control and direction characters, as long as a name may be."""
    line = " ".join(text.split())
    plain = "".join(c for c in line[: 4 * _LONGEST_NAME] if unicodedata.category(c)[0] != "C")
    return " ".join(plain.split())[:_LONGEST_NAME].strip()


def _read_numbers(values: list[str]) -> tuple[CardNumber, ...]:
    """Return the numbers, each once."""
    found: dict[str, CardNumber] = {}
    for value in values:
        written = _tidy(_without_scheme(value))
        if not written:
            continue
        if len(found) == MOST_NUMBERS:
            break
        try:
            address = addresses.parse_typed_number(written)
        except addresses.InvalidNumber:
            address = ""
        found.setdefault(address or written, CardNumber(written, address))
    return tuple(found.values())


def _without_scheme(value: str) -> str:
    """Return the number of an address like `tel:+1-202-555-0155;ext=5`, as vCard 4.0 writes it."""
    value = value.strip()
    return value[4:].partition(";")[0] if value[:4].lower() == "tel:" else value


def _read_email(values: list[str]) -> str:
    for value in values:
        email = _tidy(value)
        try:
            validate_email(email)
        except ValidationError:
            continue
        if len(email) <= _LONGEST_EMAIL:
            return email
    return ""
