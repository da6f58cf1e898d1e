"""Addresses of the outside world: E.164 numbers, short codes, alphanumeric senders."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Literal

import phonenumbers
from django.conf import settings

AddressKind = Literal["phone", "short_code", "name"]

MAX_LENGTH = 64
_SHORT_CODE = re.compile(r"[0-9]{3,8}")


def normalise(raw: str) -> tuple[str, AddressKind]:
    """The form under which a contact is known, and what sort of sender it is.

    Nothing is refused: what is no E.164 number and no short code counts as a name, since a
    carrier may hand over any sender and no message may be lost for it.
    """
    text = "".join(c for c in raw if unicodedata.category(c)[0] != "C").strip()[:MAX_LENGTH]
    if _SHORT_CODE.fullmatch(text):
        return text, "short_code"
    number = _parse(text)
    if number is not None:
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), "phone"
    return text or "unknown", "name"


def display(address: str) -> str:
    """A number as people of the default region write it; anything else as it is."""
    return _display(address, settings.DEFAULT_REGION) if address.startswith("+") else address


@lru_cache(4_096)
def _display(address: str, region: str) -> str:
    """Each row of a list shows one, the same ones again and again."""
    number = _parse(address)
    if number is None:
        return address
    home = phonenumbers.country_code_for_region(region)
    style = (
        phonenumbers.PhoneNumberFormat.NATIONAL
        if number.country_code == home
        else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    )
    return phonenumbers.format_number(number, style)


def _parse(text: str) -> phonenumbers.PhoneNumber | None:
    if not any(c.isdigit() for c in text) or any(c.isalpha() for c in text):
        return None
    try:
        number = phonenumbers.parse(text, settings.DEFAULT_REGION)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_possible_number(number) else None


class NoNumber(ValueError):
    """What was typed is no number that could be texted. The message is for the agent."""


def typed_number(raw: str) -> str:
    """A telephone number in any usual notation, as E.164. Raises NoNumber."""
    text = re.sub(r"\s*tel:\s*", "", raw, flags=re.IGNORECASE).strip()
    if not any(c.isdigit() for c in text) or any(c.isalpha() for c in text):
        raise NoNumber(f"This is no telephone number. Write it {_examples()}.")
    number = _parse(text)
    if number is None or not phonenumbers.is_valid_number(number):
        raise NoNumber(f"There is no such telephone number. Write all its digits, {_examples()}.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def is_landline(address: str) -> bool:
    """Whether the number is known to be a landline's. In some countries, those of +1 among them,
    nothing tells them from mobiles."""
    number = _parse(address)
    return (
        number is not None
        and phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.FIXED_LINE
    )


def _examples() -> str:
    home = phonenumbers.example_number_for_type(
        settings.DEFAULT_REGION, phonenumbers.PhoneNumberType.MOBILE
    )
    if home is None:
        return "with its country code"
    spelt = phonenumbers.format_number(home, phonenumbers.PhoneNumberFormat.NATIONAL)
    return f"like {spelt}, or with its country code, like +44 7400 123456"
