"""Addresses of contacts: E.164 numbers, short codes and alphanumeric senders."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Literal

import phonenumbers
from django.conf import settings

AddressKind = Literal["phone", "short_code", "name"]

MAX_LENGTH = 64
# In each area code of North America, these numbers are kept for stories: nobody has them.
_FICTIONAL = re.compile(r"\+1[2-9][0-9]{2}55501[0-9]{2}")
_SHORT_CODE = re.compile(r"[0-9]{3,8}")


def normalise_address(raw: str) -> tuple[str, AddressKind]:
    """Return the address under which a contact is stored, and its kind.

    Accepts anything: a carrier may report any sender, and no message may be lost because of it.
    Anything that is neither a telephone number nor a short code is a name.
    """
    text = "".join(c for c in raw if unicodedata.category(c)[0] != "C").strip()[:MAX_LENGTH]
    if _SHORT_CODE.fullmatch(text):
        return text, "short_code"
    number = _parse_number(text)
    if number is not None:
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), "phone"
    return text or "unknown", "name"


def is_fictional(address: str) -> bool:
    """Return True for a number from the range that no telephone company gives out."""
    return _FICTIONAL.fullmatch(address) is not None


def format_address(address: str) -> str:
    """Return a number as people of the default region write it; anything else as it is."""
    return (
        _format_for_region(address, settings.DEFAULT_REGION)
        if address.startswith("+")
        else address
    )


@lru_cache(4_096)
def _format_for_region(address: str, region: str) -> str:
    # Cached, because lists show the same numbers again and again.
    number = _parse_number(address)
    if number is None:
        return address
    home = phonenumbers.country_code_for_region(region)
    style = (
        phonenumbers.PhoneNumberFormat.NATIONAL
        if number.country_code == home
        else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    )
    return phonenumbers.format_number(number, style)


def _parse_number(text: str) -> phonenumbers.PhoneNumber | None:
    if not any(c.isdigit() for c in text) or any(c.isalpha() for c in text):
        return None
    try:
        number = phonenumbers.parse(text, settings.DEFAULT_REGION)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_possible_number(number) else None


class InvalidNumber(ValueError):
    """A typed number that cannot be texted. The message is for the agent."""


def parse_typed_number(raw: str) -> str:
    """Return a telephone number in any usual notation as E.164. Raises InvalidNumber."""
    text = re.sub(r"\s*tel:\s*", "", raw, flags=re.IGNORECASE).strip()
    if not any(c.isdigit() for c in text) or any(c.isalpha() for c in text):
        raise InvalidNumber(f"That isn't a phone number. Enter it {_number_examples()}.")
    number = _parse_number(text)
    if number is None or not phonenumbers.is_valid_number(number):
        raise InvalidNumber(f"That isn't a valid number. Enter all digits, {_number_examples()}.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def is_landline(address: str) -> bool:
    """Return True if the number is known to belong to a landline.

    In some countries, such as those of +1, landlines and mobiles cannot be told apart.
    """
    number = _parse_number(address)
    return (
        number is not None
        and phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.FIXED_LINE
    )


def _number_examples() -> str:
    home = phonenumbers.example_number_for_type(
        settings.DEFAULT_REGION, phonenumbers.PhoneNumberType.MOBILE
    )
    if home is None:
        return "with its country code"
    spelt = phonenumbers.format_number(home, phonenumbers.PhoneNumberFormat.NATIONAL)
    return f"like {spelt}, or with its country code, like +44 7400 123456"
