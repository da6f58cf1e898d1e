"""Connected numbers are looked at every hour, and what somebody changed is said and mended."""

from __future__ import annotations

import io
import json
import logging
import re
from datetime import timedelta
from typing import Any

import pytest

from config.logs import RedactingFormatter
from inboxes.actions import add_member
from inboxes.models import Agent, Inbox
from messaging.accounts.disconnecting import disconnect_number
from messaging.accounts.offered import read_offered_numbers
from messaging.accounts.watching import check_due_numbers, check_number, set_back, stop_watching
from messaging.live.rendering import counts_part
from messaging.models import CarrierAccount, Number, NumberConnection
from messaging.stream.replies import follow_number
from messaging.tasks import check_connections
from tests.cast import FRONT_DESK, Cast, client_of
from tests.clock import Clock, clock
from tests.messaging.accounts.numbers_of_account import THEIRS, connect, connected
from tests.messaging.carriers.number_far_ends.base import Answer, Request
from tests.messaging.carriers.number_far_ends.twilio import TwilioNumbers
from tests.messaging.stepped_worker import due_jobs
from threads.view_counts import ViewCounts

__all__ = ["clock"]

pytestmark = pytest.mark.django_db

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
State = NumberConnection.State


@pytest.fixture
def row(account: CarrierAccount, far_end: TwilioNumbers) -> NumberConnection:
    """Return Front Desk's number, connected and proven."""
    far_end.add(FRONT_DESK)
    return check_number(connection=connected(account, FRONT_DESK))


def look_again(row: NumberConnection) -> NumberConnection:
    """Let the job look at what is due."""
    check_due_numbers()
    return NumberConnection.objects.get(pk=row.pk)


def kinds(row: NumberConnection) -> list[str]:
    return [str(one.kind) for one in row.events.all()]


def test_a_number_is_looked_at_once_an_hour(
    row: NumberConnection, far_end: TwilioNumbers, clock: Clock
) -> None:
    asked = len(far_end.requests)
    check_connections(timestamp=0)
    assert len(far_end.requests) == asked
    clock.advance(HOUR)
    row = look_again(row)
    assert len(far_end.requests) > asked
    assert (row.state, kinds(row)) == (State.OURS, ["connected"]), "nothing is told of it"
    assert row.good_at is not None
    assert clock.now() - row.good_at < MINUTE


def test_a_new_connection_is_looked_at_after_five_minutes(
    account: CarrierAccount, far_end: TwilioNumbers, clock: Clock
) -> None:
    far_end.add(FRONT_DESK)
    row = connected(account, FRONT_DESK)
    clock.advance(5 * MINUTE)
    assert look_again(row).checked_at > row.checked_at  # type: ignore[operator]


def test_a_change_elsewhere_is_found_said_once_and_watched_more_closely(
    row: NumberConnection, far_end: TwilioNumbers, clock: Clock
) -> None:
    before = row.good_at
    far_end.change_elsewhere(FRONT_DESK, THEIRS)
    clock.advance(HOUR)
    row = look_again(row)
    assert (row.state, row.good_at) == (State.CHANGED, before)
    assert row.changed_at is not None
    [event, _] = row.events.all()
    assert (event.kind, event.words) == ("changed", "Texts go to hooks.example.net.")
    route = row.get_route()
    assert route is not None
    assert route.url == THEIRS
    assert "hooks" not in row.encrypted_route
    since = row.changed_at
    clock.advance(5 * MINUTE)
    row = look_again(row)
    assert (kinds(row), row.changed_at) == (["changed", "connected"], since)
    assert row.checked_at is not None
    assert clock.now() - row.checked_at < MINUTE


def test_a_number_in_a_service_that_takes_its_texts_over_is_found(
    row: NumberConnection, far_end: TwilioNumbers, clock: Clock
) -> None:
    service = far_end.make_service("New", url="https://new.example.org/", takes_texts=True)
    far_end.put_into(service, far_end.sid_of(FRONT_DESK))
    clock.advance(HOUR)
    assert look_again(row).state == State.CHANGED


def test_setting_it_back_takes_one_call_and_fetches_what_was_missed(
    cast: Cast, row: NumberConnection, far_end: TwilioNumbers, account: CarrierAccount
) -> None:
    far_end.change_elsewhere(FRONT_DESK, THEIRS)
    row = check_number(connection=row)
    assert set_back(connection=row, agent=cast.admin).result == "done"
    assert far_end.url_of(FRONT_DESK) == account.webhook_url
    row.refresh_from_db()
    assert (row.state, row.changed_at) == (State.OURS, None)
    assert kinds(row) == ["set_back", "changed", "connected"]
    assert [job.task_name for job in due_jobs()] == ["compare_number"]


def test_setting_back_that_fails_changes_nothing_and_says_why(
    row: NumberConnection, far_end: TwilioNumbers
) -> None:
    far_end.change_elsewhere(FRONT_DESK, THEIRS)
    row = check_number(connection=row)
    far_end.fail("status", status=403)
    outcome = set_back(connection=row, agent=None)
    assert outcome.result == "trouble"
    assert "lacks the permission for changing phone numbers" in outcome.words
    row.refresh_from_db()
    assert (row.state, row.claimed_at) == (State.CHANGED, None)
    assert kinds(row)[0] == "failed"


def test_a_number_that_was_mended_elsewhere_is_seen_and_missed_texts_are_fetched(
    row: NumberConnection, far_end: TwilioNumbers, account: CarrierAccount
) -> None:
    far_end.change_elsewhere(FRONT_DESK, THEIRS)
    row = check_number(connection=row)
    far_end.change_elsewhere(FRONT_DESK, account.webhook_url)
    row = check_number(connection=row)
    assert (row.state, kinds(row)[0]) == (State.OURS, "mended")
    assert [job.task_name for job in due_jobs()] == ["compare_number"]


def test_an_intended_change_is_watched_no_more(
    row: NumberConnection, far_end: TwilioNumbers, clock: Clock, account: CarrierAccount
) -> None:
    far_end.change_elsewhere(FRONT_DESK, THEIRS)
    row = check_number(connection=row)
    row = stop_watching(connection=row, agent=None)
    assert (row.state, kinds(row)[0]) == (State.UNWATCHED, "stopped")
    asked = len(far_end.requests)
    clock.advance(2 * HOUR)
    look_again(row)
    assert len(far_end.requests) == asked
    [outcome] = connect(account, FRONT_DESK)
    assert outcome.result == "done", "it can be connected anew"
    disconnect_number(connection=NumberConnection.objects.get(), agent=None)
    assert far_end.url_of(FRONT_DESK) == THEIRS, "what was intended is what was there before"


def test_a_number_that_left_the_account_is_said_to_be_gone(
    row: NumberConnection, far_end: TwilioNumbers, clock: Clock
) -> None:
    far_end.numbers.clear()
    clock.advance(HOUR)
    row = look_again(row)
    assert (row.state, kinds(row)[0]) == (State.GONE, "gone")
    assert NumberConnection.objects.not_receiving().count() == 1


def test_a_carrier_that_cannot_be_asked_changes_no_state_and_is_asked_again(
    row: NumberConnection, far_end: TwilioNumbers, clock: Clock
) -> None:
    for at in range(2):
        far_end.fail("status", on="read", status=500)
        clock.advance(HOUR if at == 0 else 5 * MINUTE)
        row = look_again(row)
        assert (row.state, row.trouble) == (State.OURS, "Twilio answered 500")
    assert kinds(row) == ["unreachable", "connected"], "which is told once"
    clock.advance(5 * MINUTE)
    row = look_again(row)
    assert (row.state, row.trouble) == (State.OURS, "")


def test_a_number_that_a_list_leaves_out_is_asked_for_by_itself(
    account: CarrierAccount,
    far_end: TwilioNumbers,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    addresses = [f"+1604555{at:04}" for at in range(10)]
    for address in addresses:
        far_end.add(address, state="missing")
    connect(account, *addresses)
    answered = far_end.answer

    def leave_one_out(request: Request) -> Answer:
        answer = answered(request)
        if not request.path.endswith("/IncomingPhoneNumbers.json"):
            return answer
        read = json.loads(answer.body)
        del read["incoming_phone_numbers"][3]
        return Answer.of(read)

    monkeypatch.setattr(far_end, "answer", leave_one_out)
    del far_end.numbers[far_end.sid_of(addresses[7])]
    clock.advance(5 * MINUTE)
    check_due_numbers()
    lost = NumberConnection.objects.not_receiving()
    assert [one.address for one in lost] == [addresses[7]], "only what is gone indeed"
    gone = lost.get()
    assert gone.next_check_at is not None
    assert gone.next_check_at - clock.now() <= 5 * MINUTE


def test_however_many_are_left_out_each_round_asks_for_a_few_and_the_next_for_others(
    account: CarrierAccount, far_end: TwilioNumbers, clock: Clock
) -> None:
    addresses = [f"+1604555{at:04}" for at in range(50)]
    for address in addresses:
        far_end.add(address, state="missing")
    connect(account, *addresses)
    far_end.numbers.clear()
    far_end.requests.clear()
    lost = []
    for _ in range(3):
        clock.advance(5 * MINUTE)
        check_due_numbers()
        lost.append(NumberConnection.objects.not_receiving().count())
    assert lost == [20, 40, 50]
    assert len(far_end.requests) < 3 * 25


def test_a_carrier_that_never_tells_anything_is_asked_every_hour_again(
    cast: Cast, row: NumberConnection, far_end: TwilioNumbers, clock: Clock
) -> None:
    clock.advance(HOUR)
    for _ in range(60):
        far_end.failures.clear()
        far_end.fail("status", on="read", status=403)
        row = look_again(row)
        clock.advance(5 * MINUTE)
    asked = [one for one in far_end.requests if one.method == "GET"]
    assert len(asked) < 30, "of 60 times five minutes"
    page = client_of(cast.admin).get("/admin/")
    [trouble] = [one for one in page.context["troubles"] if one.name == "not_checked"]
    assert trouble.title == "A number could not be checked"
    listed = client_of(cast.admin).get("/admin/messaging/number/?watch=not_checked")
    assert listed.context["cl"].result_count == 1
    number = Number.objects.get(address=FRONT_DESK)
    for path in (
        "/admin/messaging/number/",
        f"/admin/messaging/number/{number.pk}/change/",
        f"/admin/messaging/carrieraccount/{number.account_id}/numbers/",
    ):
        assert "Not checked since" in client_of(cast.admin).get(path).content.decode()
    far_end.failures.clear()
    clock.advance(HOUR)
    assert look_again(row).trouble == ""
    page = client_of(cast.admin).get("/admin/")
    assert "not_checked" not in [one.name for one in page.context["troubles"]]


def test_a_carrier_that_asks_to_wait_is_left_alone_for_so_long(
    row: NumberConnection, far_end: TwilioNumbers, clock: Clock
) -> None:
    far_end.fail("status", on="read", status=429, headers={"retry-after": "1800"})
    clock.advance(HOUR)
    row = look_again(row)
    asked = len(far_end.requests)
    clock.advance(25 * MINUTE)
    look_again(row)
    assert len(far_end.requests) == asked
    clock.advance(6 * MINUTE)
    assert look_again(row).trouble == ""


def test_a_reading_that_is_older_than_a_change_of_ours_is_dropped(
    row: NumberConnection, far_end: TwilioNumbers, account: CarrierAccount
) -> None:
    far_end.change_elsewhere(FRONT_DESK, THEIRS)
    old = NumberConnection.objects.get(pk=row.pk)
    set_back(connection=row, agent=None)
    far_end.change_elsewhere(FRONT_DESK, THEIRS)
    assert check_number(connection=old).state == State.OURS
    row.refresh_from_db()
    assert check_number(connection=row).state == State.CHANGED


def test_all_numbers_of_an_account_are_read_by_one_list(
    account: CarrierAccount, far_end: TwilioNumbers, clock: Clock
) -> None:
    addresses = [f"+1604555{at:04}" for at in range(60)]
    for address in addresses:
        far_end.add(address, state="missing")
    assert all(one.is_good for one in connect(account, *addresses))
    far_end.change_elsewhere(addresses[7], THEIRS)
    far_end.requests.clear()
    clock.advance(5 * MINUTE)
    assert check_due_numbers() == 60
    assert len(far_end.requests) <= 3
    assert [one.address for one in NumberConnection.objects.not_receiving()] == [addresses[7]]


def test_an_account_that_is_switched_off_is_left_alone(
    row: NumberConnection, far_end: TwilioNumbers, clock: Clock, account: CarrierAccount
) -> None:
    CarrierAccount.objects.update(is_active=False)
    asked = len(far_end.requests)
    clock.advance(2 * HOUR)
    assert check_due_numbers() == 0
    assert len(far_end.requests) == asked


def test_secrets_that_cannot_be_decrypted_are_said_and_nothing_breaks(
    row: NumberConnection, clock: Clock, account: CarrierAccount
) -> None:
    CarrierAccount.objects.update(encrypted_credentials="x")
    clock.advance(HOUR)
    row = look_again(row)
    assert (row.state, row.trouble) == (State.OURS, "the account's secret cannot be decrypted")


def test_no_address_of_a_webhook_and_no_number_is_logged(
    account: CarrierAccount, far_end: TwilioNumbers, clock: Clock
) -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(RedactingFormatter())
    logging.getLogger().addHandler(handler)
    level = logging.getLogger().level
    logging.getLogger().setLevel(logging.DEBUG)
    try:
        far_end.add(FRONT_DESK, url=THEIRS)
        read_offered_numbers(account=account)
        row = connected(account, FRONT_DESK)
        far_end.change_elsewhere(FRONT_DESK, THEIRS)
        for status in (401, 403, 429, 500):
            far_end.fail("status", on="read", status=status)
            clock.advance(2 * HOUR)
            check_due_numbers()
        far_end.fail("status", status=400)
        set_back(connection=row, agent=None)
        disconnect_number(connection=row, agent=None)
    finally:
        logging.getLogger().removeHandler(handler)
        logging.getLogger().setLevel(level)
    logged = written.getvalue()
    assert "were not checked" in logged
    for private in ("secret", "hooks.example.net", "2025550110", account.token, "the-auth-token"):
        assert private not in logged


def test_looking_at_many_numbers_takes_few_queries_each(
    account: CarrierAccount,
    far_end: TwilioNumbers,
    clock: Clock,
    django_assert_max_num_queries: object,
) -> None:
    addresses = [f"+1604555{at:04}" for at in range(20)]
    for address in addresses:
        far_end.add(address, state="missing")
    connect(account, *addresses)
    clock.advance(5 * MINUTE)
    with django_assert_max_num_queries(20 * 4 + 4):  # type: ignore[operator]
        check_due_numbers()


def test_members_see_above_their_list_that_new_texts_do_not_come(
    cast: Cast, row: NumberConnection, far_end: TwilioNumbers
) -> None:
    words = "don't reach Partyline"

    def line(agent: Agent, path: str) -> str:
        page = client_of(agent).get(path).content.decode()
        found = re.search(r'<p\s+class="lost".*?</p>', page, re.DOTALL)
        assert found is not None
        assert words in found[0]
        return found[0].replace('aria-hidden="true"', "")

    inbox = f"/inboxes/{cast.front_desk.pk}/"
    assert "hidden" in line(cast.ana, inbox)
    far_end.change_elsewhere(FRONT_DESK, THEIRS)
    row = check_number(connection=row)
    assert "hidden" not in line(cast.ana, inbox)
    assert "See the number" not in line(cast.ana, inbox)
    assert "Front Desk</bdi>" in line(cast.ana, "/")
    assert "hidden" in line(cast.dov, "/"), "who isn't a member learns nothing"
    assert "hidden" in line(cast.ana, f"/inboxes/{cast.dispatch.pk}/")
    add_member(inbox=cast.front_desk, agent=cast.admin, changed_by=None)
    assert "See the number" in line(cast.admin, inbox)
    set_back(connection=row, agent=None)
    assert "hidden" in line(cast.ana, inbox)


def test_open_pages_are_told_when_new_texts_do_not_come_and_when_they_do_again(
    cast: Cast, row: NumberConnection, far_end: TwilioNumbers
) -> None:
    far_end.change_elsewhere(FRONT_DESK, THEIRS)
    before = Inbox.objects.get(pk=cast.front_desk.pk)
    row = check_number(connection=row)
    inbox = Inbox.objects.get(pk=cast.front_desk.pk)
    assert inbox.seq > before.seq

    def told(inbox: Inbox) -> dict[str, Any]:
        name, part = counts_part(inbox, cast.ana, ViewCounts())
        assert name == "counts"
        assert isinstance(part, dict)
        return part

    assert told(inbox)["lost"] == "Front Desk"
    set_back(connection=row, agent=None)
    inbox.refresh_from_db()
    assert "lost" not in told(inbox)


def test_a_number_that_moves_to_another_inbox_takes_the_line_along(
    cast: Cast, row: NumberConnection, far_end: TwilioNumbers
) -> None:
    far_end.change_elsewhere(FRONT_DESK, THEIRS)
    check_number(connection=row)
    sales = Inbox.objects.create(name="Sales")
    number = Number.objects.get(address=FRONT_DESK)
    number.inbox = sales
    number.save()
    for inbox in (cast.front_desk, sales):
        follow_number(inbox_id=inbox.pk, our_addresses=[FRONT_DESK])
        inbox.refresh_from_db()
    assert cast.front_desk.not_receiving_since is None
    assert sales.not_receiving_since is not None
