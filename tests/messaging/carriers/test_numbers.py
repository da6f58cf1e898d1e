"""Numbers of every carrier: read, routed to us, watched, and put back.

Each far end keeps its state as the carrier's API does; `number_far_ends` has them.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from pytest_django import Settings

from messaging.carriers import get_carrier, numbers, results
from messaging.carriers.numbers import NotThere, OfferedNumber, Step
from tests.messaging.carriers.number_far_ends.base import NumberFarEnd
from tests.messaging.carriers.number_far_ends.calls import client_of
from tests.messaging.carriers.number_far_ends.serve import FAR_ENDS

OURS = "https://texts.example.com/webhooks/carrier/a-token/"
THEIRS = "https://hooks.example.net/sms/v2?token=secret"
ONE, TWO, THREE = "+12025550110", "+12025550120", "+13035550140"
TOLL_FREE = "+18005550199"

CREDENTIALS = {
    "bandwidth": {
        "account_id": "9900000",
        "application_id": "app-ours",
        "client_id": "a-client",
        "client_secret": "the-client-secret",
        "callback_user": "callbacks",
        "callback_password": "the-callback-password",
    },
    "plivo": {"auth_id": "MAXXXXXXXXXXXXXXXXXX", "auth_token": "the-auth-token"},
    "signalwire": {
        "space": "example",
        "project_id": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
        "api_token": "PT0",
        "signing_key": "the-signing-key",
    },
    "telnyx": {"api_key": "KEY0", "public_key": ""},
    "twilio": {"account_sid": "AC" + "0" * 32, "auth_token": "the-auth-token"},
    "vonage": {"api_key": "abcd1234", "api_secret": "the-api-secret"},
}
SECRETS = ["the-client-secret", "the-callback-password", "the-auth-token", "KEY0"]
SECRETS += ["the-api-secret", "token=secret", "a-token"]


@dataclass
class Account:
    """A carrier account at a far end, and what the product makes of it."""

    name: str
    far_end: NumberFarEnd

    def open(self, credentials: Mapping[str, str] | None = None) -> numbers.Directory:
        """Open the account anew, as another request or process would."""
        given = CREDENTIALS[self.name] if credentials is None else credentials
        opened = get_carrier(self.name).open_directory(given, client_of(self.far_end))
        assert isinstance(opened, numbers.Directory)
        return opened

    def find(self, address: str) -> OfferedNumber:
        return self.read_all()[address]

    def read_all(self) -> dict[str, OfferedNumber]:
        found: dict[str, OfferedNumber] = {}
        cursor, directory = "", self.open()
        while True:
            page = directory.read_page(cursor)
            assert isinstance(page, numbers.Page)
            assert not {one.address for one in page.numbers} & set(found)
            found |= {one.address: one for one in page.numbers}
            cursor = page.cursor
            if not cursor:
                return found

    def plan(self, address: str) -> tuple[Step, ...]:
        return self.open().plan(self.find(address), OURS)

    def apply(self, steps: tuple[Step, ...]) -> list[tuple[Step, object]]:
        """Apply the steps until one fails, filling in what earlier ones made."""
        done: list[tuple[Step, object]] = []
        made = ""
        for step in steps:
            now = step.with_made(made) if made else step
            result = self.open().apply(now)
            done.append((now, result))
            if not isinstance(result, numbers.Applied):
                break
            made = result.made or made
        return done

    def connect(self, address: str) -> tuple[Step, ...]:
        done = self.apply(self.plan(address))
        assert all(isinstance(result, numbers.Applied) for _, result in done)
        return tuple(step for step, _ in done)

    def read(self, address: str, carrier_id: str) -> OfferedNumber:
        read = self.open().read_number(address, carrier_id)
        assert isinstance(read, OfferedNumber)
        return read


@pytest.fixture(params=sorted(FAR_ENDS))
def account(request: pytest.FixtureRequest) -> Account:
    return Account(request.param, FAR_ENDS[request.param]())


def test_a_free_number_is_offered_with_what_it_can(account: Account) -> None:
    account.far_end.add(ONE)
    found = account.find(ONE)
    assert (found.kind, found.can_sms, found.can_mms) == ("local", True, True)
    assert found.route is not None
    assert found.route.is_free
    assert found.route.host == ""
    assert OfferedNumber.read(found.as_values()) == found


def test_a_number_in_use_elsewhere_says_where_its_texts_go(account: Account) -> None:
    account.far_end.add(ONE, url=THEIRS)
    route = account.find(ONE).route
    assert route is not None
    assert not route.is_free
    assert route.host == "hooks.example.net"
    assert not route.leads_to(OURS)


def test_a_number_that_cannot_text_is_offered_as_one(account: Account) -> None:
    account.far_end.add(ONE, can_sms=False, can_mms=False)
    account.far_end.add(TWO, can_mms=False)
    found = account.read_all()
    assert (found[ONE].can_sms, found[ONE].can_mms) == (False, False)
    assert (found[TWO].can_sms, found[TWO].can_mms) == (True, False)


@pytest.mark.parametrize("url", ["", THEIRS])
def test_a_connected_number_brings_its_texts_here(account: Account, url: str) -> None:
    account.far_end.add(ONE, url=url)
    steps = account.connect(ONE)
    assert account.far_end.url_of(ONE) == OURS
    found = account.find(ONE)
    assert found.route is not None
    assert found.route.leads_to(OURS)
    assert account.plan(ONE) == ()
    for step in steps:
        values = account.open().current(step)
        if step.resource_id:
            assert values == {one.name: one.will_be for one in step.fields}


def test_what_is_planned_names_the_fields_and_changes_nothing_yet(account: Account) -> None:
    account.far_end.add(ONE, url=THEIRS)
    steps = account.plan(ONE)
    assert account.far_end.changes == []
    changes = [change for step in steps for change in step.fields]
    assert OURS in [change.will_be for change in changes]
    assert all(change.label and step.title for step in steps for change in step.fields)
    assert [Step.read(step.as_values()) for step in steps] == list(steps)


def test_connecting_a_number_leaves_the_texts_of_all_others_where_they_go(
    account: Account,
) -> None:
    """Or names the others before."""
    account.far_end.add(ONE, url=THEIRS)
    account.far_end.add(TWO, together_with=ONE)
    account.far_end.add(THREE, url="https://third.example.org/")
    steps = account.plan(ONE)
    named = {other for step in steps for other in step.others}
    account.connect(ONE)
    assert account.far_end.url_of(ONE) == OURS
    assert account.far_end.url_of(THREE) == "https://third.example.org/"
    assert account.far_end.url_of(TWO) == THEIRS or TWO in named


def test_two_numbers_that_go_nowhere_are_both_brought_here(account: Account) -> None:
    account.far_end.add(ONE)
    account.far_end.add(TWO)
    plans = [account.plan(ONE), account.plan(TWO)]
    for plan in plans:
        account.apply(plan)
    assert [account.far_end.url_of(one) for one in (ONE, TWO)] == [OURS, OURS]


def test_undoing_puts_back_what_was_there(account: Account) -> None:
    account.far_end.add(ONE, url=THEIRS)
    steps = account.connect(ONE)
    undone = [step.reversed() for step in reversed(steps) if step.resource_id]
    for step in undone:
        assert isinstance(account.open().apply(step), numbers.Applied)
    assert account.far_end.url_of(ONE) == THEIRS


def test_a_number_that_was_changed_elsewhere_is_seen_and_set_again(account: Account) -> None:
    account.far_end.add(ONE)
    account.connect(ONE)
    carrier_id = account.find(ONE).carrier_id
    account.far_end.change_elsewhere(ONE, THEIRS)
    seen = account.read(ONE, carrier_id)
    assert seen.route is not None
    assert seen.route.host == "hooks.example.net"
    watched = account.open().read_numbers({ONE: carrier_id})
    assert isinstance(watched, dict)
    assert isinstance(watched[ONE], OfferedNumber)
    account.apply(account.open().plan(seen, OURS))
    assert account.far_end.url_of(ONE) == OURS


def test_only_one_answer_can_say_that_a_number_is_gone(account: Account) -> None:
    """Lose each thing that is read beside the number, which is still there."""
    account.far_end.add(ONE, url=THEIRS)
    account.far_end.add(TWO, together_with=ONE)
    known = account.find(ONE)
    account.far_end.requests.clear()
    account.read(ONE, known.carrier_id)
    gone = []
    for skip in range(len(account.far_end.requests)):
        account.far_end.fail("status", on="read", status=404, skip=skip)
        gone.append(account.open().read_number(ONE, known.carrier_id) == numbers.NotThere())
    assert sum(gone) <= 1


def test_a_number_that_is_gone_is_not_there(account: Account) -> None:
    account.far_end.add(ONE)
    carrier_id = account.find(ONE).carrier_id
    assert account.open().read_number(TWO, carrier_id) == NotThere()
    away = f"{carrier_id[:-1]}7" if carrier_id[-1] != "7" else f"{carrier_id[:-1]}8"
    assert account.open().read_number(TWO, away) == NotThere()


FAILURES: list[tuple[dict[str, Any], type]] = [
    ({"kind": "status", "status": 401}, results.AuthFailed),
    ({"kind": "status", "status": 403}, results.Forbidden),
    ({"kind": "status", "status": 429, "headers": {"retry-after": "7"}}, results.RateLimited),
    ({"kind": "status", "status": 422}, results.Refused),
    ({"kind": "refused"}, results.CannotTell),
]
UNCLEAR: list[tuple[dict[str, Any], type]] = [
    ({"kind": "status", "status": 500}, results.OutcomeUnknown),
    ({"kind": "silence"}, results.OutcomeUnknown),
    ({"kind": "reset"}, results.OutcomeUnknown),
    ({"kind": "reset_untaken"}, results.OutcomeUnknown),
    ({"kind": "garbled"}, results.OutcomeUnknown),
]


@pytest.mark.parametrize(("failure", "kind"), FAILURES + UNCLEAR)
@pytest.mark.parametrize("skip", [0, 1])
def test_whatever_breaks_off_connecting_it_can_be_taken_up_again(
    account: Account, failure: dict[str, Any], kind: type, skip: int
) -> None:
    account.far_end.add(ONE, url=THEIRS)
    account.far_end.add(TWO, together_with=ONE)
    steps = account.plan(ONE)
    account.far_end.fail(**failure, skip=skip)
    done = account.apply(steps)
    if len(account.far_end.failures) == 0:
        assert isinstance(done[-1][1], kind)
        if kind is results.RateLimited:
            assert done[-1][1] == results.RateLimited(7.0)
    assert account.far_end.url_of(ONE) in (THEIRS, OURS)
    account.far_end.failures.clear()
    again = account.apply(account.plan(ONE))
    assert all(isinstance(result, numbers.Applied) for _, result in again)
    assert account.far_end.url_of(ONE) == OURS
    assert account.plan(ONE) == ()


def test_a_step_that_was_taken_without_an_answer_is_seen_as_done(account: Account) -> None:
    account.far_end.add(ONE, url=THEIRS)
    *_, last = account.plan(ONE)
    account.apply(account.plan(ONE)[:-1])
    made = account.apply(account.plan(ONE)[:-1])
    if made:
        result = made[-1][1]
        assert isinstance(result, numbers.Applied)
        last = last.with_made(result.made)
    account.far_end.fail("reset")
    assert isinstance(account.open().apply(last), results.OutcomeUnknown)
    assert account.open().current(last) == {one.name: one.will_be for one in last.fields}
    assert isinstance(account.open().apply(last), numbers.Applied)


READ_FAILURES = [
    *FAILURES,
    ({"kind": "status", "status": 500}, results.CannotTell),
    ({"kind": "silence"}, results.CannotTell),
    ({"kind": "reset"}, results.CannotTell),
    ({"kind": "garbled"}, results.CannotTell),
    ({"kind": "status", "status": 404}, results.Refused),
]


@pytest.mark.parametrize(("failure", "kind"), READ_FAILURES)
def test_whatever_breaks_off_reading_is_said_as_what_it_is(
    account: Account, failure: dict[str, Any], kind: type
) -> None:
    account.far_end.add(ONE)
    account.far_end.fail(**failure, on="read")
    assert isinstance(account.open().read_page(), kind)
    assert account.far_end.failures == []
    assert isinstance(account.open().read_page(), numbers.Page)


@pytest.mark.parametrize(
    ("state", "tag", "blocks"),
    [
        ("good", "Registered", False),
        ("waiting", "Registration pending", True),
        ("missing", "Not registered", True),
    ],
)
def test_the_state_of_a_10dlc_campaign_is_told(
    account: Account, state: str, tag: str, blocks: bool
) -> None:
    account.far_end.add(ONE, state=state)
    registration = account.find(ONE).registration
    if account.name == "vonage":
        assert registration is None
        return
    assert registration is not None
    assert (registration.tag, registration.blocks_sending) == (tag, blocks)
    assert get_carrier(account.name).label in registration.words or state != "missing"


@pytest.mark.parametrize(
    ("state", "tag", "blocks"),
    [
        ("good", "Verified", False),
        ("waiting", "In review", True),
        ("missing", "Not verified", True),
    ],
)
def test_the_verification_of_a_toll_free_number_is_told(
    account: Account, state: str, tag: str, blocks: bool
) -> None:
    account.far_end.add(TOLL_FREE, state=state)
    found = account.find(TOLL_FREE)
    assert found.kind == "toll_free"
    if account.name == "vonage":
        assert found.registration is None
        return
    assert found.registration is not None
    assert (found.registration.tag, found.registration.blocks_sending) == (tag, blocks)


def test_numbers_of_other_countries_need_no_campaign(account: Account) -> None:
    account.far_end.add("+16045550123", state="missing")
    assert account.find("+16045550123").registration is None


def test_an_account_with_5000_numbers_is_read_page_by_page(account: Account) -> None:
    wanted = [f"+1202{55 + at // 10000}{at:05}" for at in range(5000)]
    for address in wanted:
        account.far_end.add(address, url=THEIRS if address == wanted[0] else "")
    found = account.read_all()
    assert set(found) == set(wanted)
    assert len(account.far_end.requests) < 500
    assert account.far_end.changes == []


def test_a_list_that_broke_off_goes_on_where_it_was(account: Account) -> None:
    wanted = {f"+12025{at:06}" for at in range(1100)}
    for address in sorted(wanted):
        account.far_end.add(address)
    first = account.open().read_page()
    assert isinstance(first, numbers.Page)
    assert first.cursor
    found = [*first.numbers]
    account.far_end.fail("status", on="read", status=503)
    assert isinstance(account.open().read_page(first.cursor), results.CannotTell)
    cursor = first.cursor
    while cursor:
        page = account.open().read_page(cursor, with_registration=False)
        assert isinstance(page, numbers.Page)
        found += page.numbers
        cursor = page.cursor
    assert len(found) == len(wanted)
    assert {one.address for one in found} == wanted


def test_nothing_private_is_in_what_may_be_logged(account: Account) -> None:
    account.far_end.add(ONE, url=THEIRS)
    found = account.find(ONE)
    steps = account.plan(ONE)
    shown = repr([account.open(), found, steps])
    for private in (*SECRETS, "2025550110", "12025550110"):
        assert private not in shown


def test_without_credentials_nothing_is_called(account: Account) -> None:
    carrier = get_carrier(account.name)
    opened = carrier.open_directory({}, client_of(account.far_end))
    assert isinstance(opened, results.AuthFailed)
    assert account.far_end.requests == []


def test_the_console_guide_has_our_address_and_says_where_it_goes(account: Account) -> None:
    guide = get_carrier(account.name).console_guide(OURS, CREDENTIALS[account.name])
    assert OURS in [field.value for field in guide.fields]
    assert all(field.label and field.where for field in guide.fields)
    assert guide.url.startswith("https://")


@pytest.fixture
def served(account: Account, settings: Settings) -> Iterator[httpx.Client]:
    """Serve the far end as a process of its own, and point the carrier's API at it."""
    program = "tests.messaging.carriers.number_far_ends.serve"
    process = subprocess.Popen(
        [sys.executable, "-m", program, account.name], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    port = process.stdout.readline().rsplit(" ", 1)[1].strip()
    setattr(settings, f"{account.name.upper()}_API_URL", f"http://127.0.0.1:{port}")
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as control:
        yield control
    process.terminate()
    process.wait(10)
    process.stdout.close()


def test_a_number_is_connected_and_put_back_over_a_real_connection(
    account: Account, served: httpx.Client
) -> None:
    def texts_go() -> str:
        return str(served.get("/control/url", params={"address": ONE}).json()["url"])

    served.post("/control/add", json={"address": ONE, "url": THEIRS})
    with httpx.Client(timeout=2, trust_env=False) as client:
        directory = get_carrier(account.name).open_directory(CREDENTIALS[account.name], client)
        assert isinstance(directory, numbers.Directory)
        page = directory.read_page()
        assert isinstance(page, numbers.Page)
        [found] = page.numbers
        steps = directory.plan(found, OURS)
        served.post("/control/fail", json={"kind": "reset"})
        assert isinstance(directory.apply(steps[0]), results.OutcomeUnknown)
        made, done = "", []
        for step in steps:
            now = step.with_made(made) if made else step
            result = directory.apply(now)
            assert isinstance(result, numbers.Applied)
            made = result.made or made
            done.append(now)
        assert texts_go() == OURS
        for step in reversed(done):
            if step.resource_id:
                assert isinstance(directory.apply(step.reversed()), numbers.Applied)
        assert texts_go() == THEIRS
