"""Compare our classes of errors with the lists that the carriers publish (`errors/*.toml`).

Each file names its sources. A code that a vendor adds belongs into the file and into the carrier's
`*_errors.py`, with the class that the vendor's words ask for.
"""

from __future__ import annotations

import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import pytest

from messaging.carriers import ADAPTERS, events, parsing

FILES = sorted(Path(__file__).with_name("errors").glob("*.toml"))
LISTS: dict[str, dict[str, Any]] = {file.stem: tomllib.loads(file.read_text()) for file in FILES}
CODES = [
    (carrier, code, error_class, title)
    for carrier, listed in LISTS.items()
    for code, (error_class, title) in listed["codes"].items()
]

# What stood wrong in front of agents, and the class that their vendors' words ask for.
ONCE_WRONG: dict[str, dict[events.ErrorClass, str]] = {
    "signalwire": {
        "bad_address": "21606",
        "media": "21612",
        "registration": "21717",
        "no_media": "30011 30012",
        "expired": "30009 30001",
        "daily_limit": "30027",
    },
    "twilio": {
        "trial": "21608 572002 572005",
        "sender": "21659 21660",
        "no_media": "21621 30011",
        "daily_limit": "30023 30027",
        "server": "30017",
        "registration": "30018 30024",
        "country": "21408",
    },
    "telnyx": {
        "auth": "20002 20006",
        "account": "20012 20013 20014 20015 20016 20017",
        "daily_limit": "40016",
        "filtered": "40017",
        "throttled": "40018",
        "sender": "40321",
        "refused": "40008",
        "content": "40009",
        "country": "40309 40331",
    },
    "bandwidth": {
        "content": "4301 4752",
        "expired": "4360",
        "no_route": "4401",
        "country": "4432",
        "refused": "4750 4753",
    },
    "vonage": {"bad_address": "1050", "auth": "jwt-expired jwt-revoked invalid-signature"},
    "plivo": {"no_route": "90", "country": "450"},
}


def classes_of(carrier: str) -> dict[str, events.ErrorClass]:
    module = import_module(f"messaging.carriers.{carrier}_errors")
    classes: dict[str, events.ErrorClass] = module.ERROR_CLASSES
    return classes


def test_every_carrier_but_the_simulator_has_a_published_list() -> None:
    assert set(LISTS) == {adapter.name for adapter in ADAPTERS} - {"simulator"}


@pytest.mark.parametrize("carrier", LISTS)
def test_a_list_says_where_it_is_from_and_whether_it_is_whole(carrier: str) -> None:
    listed = LISTS[carrier]
    assert listed["carrier"] == carrier
    assert listed["sources"]
    assert all(source.startswith("https://") for source in listed["sources"])
    assert isinstance(listed["is_whole"], bool)
    assert listed["scope"].strip()
    assert not {str(code) for code in listed.get("elsewhere", [])} & set(listed["codes"])


@pytest.mark.parametrize("carrier", LISTS)
def test_the_code_and_the_list_hold_the_same_errors_and_no_other(carrier: str) -> None:
    assert set(classes_of(carrier)) == set(LISTS[carrier]["codes"])
    assert all(len(code) <= parsing.CODE_LIMIT for code in classes_of(carrier))


@pytest.mark.parametrize(("carrier", "code", "error_class", "title"), CODES)
def test_every_error_has_the_class_that_the_vendors_words_ask_for(
    carrier: str, code: str, error_class: str, title: str
) -> None:
    assert error_class in get_args(events.ErrorClass)
    assert title
    assert classes_of(carrier)[code] == error_class


@pytest.mark.parametrize("carrier", LISTS)
def test_no_code_is_classed_twice(carrier: str) -> None:
    source = Path(import_module(f"messaging.carriers.{carrier}_errors").__file__ or "").read_text()
    quoted = [word for part in source.split('"')[1::2] for word in part.split()]
    codes = [word for word in quoted if word in LISTS[carrier]["codes"]]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("carrier", ONCE_WRONG)
def test_what_was_once_said_wrong_is_said_right(carrier: str) -> None:
    for error_class, codes in ONCE_WRONG[carrier].items():
        for code in codes.split():
            assert (code, classes_of(carrier)[code]) == (code, error_class)


def test_signalwires_list_is_its_own() -> None:
    ours, twilios = classes_of("signalwire"), classes_of("twilio")
    differing = {code for code in ours.keys() & twilios.keys() if ours[code] != twilios[code]}
    assert {"21408", "21606", "21612", "30001", "30002"} <= differing
