"""Addresses of the outside world: E.164 numbers, short codes, alphanumeric senders."""

from __future__ import annotations

import re
import unicodedata
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
    number = _parse(address) if address.startswith("+") else None
    if number is None:
        return address
    home = phonenumbers.country_code_for_region(settings.DEFAULT_REGION)
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
