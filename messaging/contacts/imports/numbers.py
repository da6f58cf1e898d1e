"""Read a telephone number in a cell of a file, and say in a sentence why it is none."""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberFormat

_SCHEME = re.compile(r"^tel:", re.IGNORECASE)
_ROUNDED = re.compile(r"[0-9][.,][0-9]+e\+?[0-9]+", re.IGNORECASE)
_AS_DECIMAL = re.compile(r"(\+?[0-9]{7,15})[.,]0+")
_LETTERS = re.compile(r"[^\W\d_]")
_SEVERAL = re.compile(r"\s*(?::::|[;/,|\n])\s*")
MOST_CHARACTERS = 40


class BadNumber(Exception):
    """Raised for a cell that holds no number to text to. The text goes on behind the value."""


def parse_cell(cell: str, region: str) -> str:
    """Return the number as E.164; one without a country code is of the region."""
    text = _SCHEME.sub("", cell.strip())
    if not text:
        raise BadNumber("is empty: there is no number.")
    if _ROUNDED.fullmatch(text):
        raise BadNumber("was rounded by a spreadsheet. Format the column as text, and save again.")
    if (decimal := _AS_DECIMAL.fullmatch(text)) is not None:
        text = decimal[1]
    if _LETTERS.search(text) or not any(c.isdigit() for c in text):
        raise BadNumber("isn't a phone number.")
    if len(text) > MOST_CHARACTERS:
        raise BadNumber("is too long for a phone number.")
    return _parse_digits(text, region)


def _parse_digits(text: str, region: str) -> str:
    has_two = _digits(text) > 13 and sum(_digits(part) > 6 for part in _SEVERAL.split(text)) > 1
    if has_two:
        raise BadNumber("holds more than one number. Keep one of them.")
    try:
        number = phonenumbers.parse(_with_plus(text), region)
    except phonenumbers.NumberParseException as error:
        raise BadNumber(_unparsed(text, region, error)) from error
    # The first question is quicker, and answers for almost every line.
    is_valid = phonenumbers.is_valid_number_for_region(number, region)
    if not is_valid and not phonenumbers.is_possible_number(number):
        raise BadNumber(_impossible(text, region, number))
    if not is_valid and not phonenumbers.is_valid_number(number):
        raise BadNumber("isn't a number that anybody can have.")
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _with_plus(text: str) -> str:
    """Return a number that begins with 00 as one with a country code: no other one does."""
    plain = text.lstrip("( ")
    return f"+{plain[2:]}" if plain.startswith("00") else text


def _unparsed(text: str, region: str, error: phonenumbers.NumberParseException) -> str:
    if error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE:
        return "begins with a country code that doesn't exist."
    return _wrong_length(text, region)


def _impossible(text: str, region: str, number: phonenumbers.PhoneNumber) -> str:
    """Say how many digits it has: as it stands, where it has no country code of its own."""
    home = phonenumbers.country_code_for_region(region)
    if number.country_code == home and not text.lstrip("( ").startswith(("+", "00", "＋")):
        return _wrong_length(text, region)
    kind = phonenumbers.is_possible_number_with_reason(number)
    is_short = kind == phonenumbers.ValidationResult.TOO_SHORT
    return f"is too {'short' if is_short else 'long'} for a number of +{number.country_code}."


def _wrong_length(text: str, region: str) -> str:
    count = _digits(text)
    digits = "digit" if count == 1 else "digits"
    return f"has {count} {digits}; a number here has {_usual_length(region)}."


def _usual_length(region: str) -> str:
    """Return how many digits numbers of the region have, as "10" or "9 to 11"."""
    metadata = PhoneMetadata.metadata_for_region(region, None)
    described = metadata.general_desc if metadata else None
    lengths = [length for length in (described.possible_length if described else ()) if length > 0]
    if not lengths:
        return "more"
    shortest, longest = min(lengths), max(lengths)
    return str(longest) if shortest == longest else f"{shortest} to {longest}"


def _digits(text: str) -> int:
    return sum(1 for c in text if c.isdigit())
