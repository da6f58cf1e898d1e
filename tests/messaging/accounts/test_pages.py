"""The administration's pages of an account's numbers, and of one number's connection."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from inboxes.models import Inbox
from messaging.accounts.adding import add_number
from messaging.accounts.watching import check_number
from messaging.models import CarrierAccount, Number, NumberConnection
from tests.cast import FRONT_DESK, Cast, client_of
from tests.messaging.accounts.numbers_of_account import THEIRS, choose, connected
from tests.messaging.carriers.number_far_ends.twilio import TwilioNumbers

pytestmark = pytest.mark.django_db

NEW, TAKEN = "+12025550120", "+13035550140"


@pytest.fixture
def admin(cast: Cast) -> Client:
    return client_of(cast.admin)


@pytest.fixture
def address(account: CarrierAccount) -> str:
    return reverse("admin:messaging_carrieraccount_numbers", args=[account.pk])


@pytest.fixture
def number(cast: Cast) -> Number:
    return Number.objects.get(address=FRONT_DESK)


def page_of(number: Number) -> str:
    return reverse("admin:messaging_number_change", args=[number.pk])


def deed(client: Client, number: Number, name: str) -> str:
    """Press a button of the number's page; return the page that follows."""
    url = reverse("admin:messaging_number_connection", args=[number.pk])
    return client.post(url, {"deed": name}, follow=True).content.decode()


def shown(client: Client, address: str) -> str:
    return client.get(address).content.decode()


def test_a_visit_asks_the_carrier_nothing_and_a_button_reads_the_numbers(
    admin: Client, address: str, far_end: TwilioNumbers
) -> None:
    far_end.add(NEW)
    far_end.add(TAKEN, url=THEIRS)
    assert "Read the numbers" in shown(admin, address)
    assert far_end.requests == []
    page = admin.post(address, {"look": "1"}, follow=True).content.decode()
    assert "(202) 555-0120" in page
    assert "Texts now go to hooks.example.net. Tick it to bring them here." in page
    assert "What changes at Twilio" in page
    assert THEIRS in page, "what is there now can be read before"
    assert page.count("checked") == 1, "only the free number is ticked"


def test_ticked_numbers_are_connected_and_get_an_inbox(
    admin: Client, address: str, account: CarrierAccount, far_end: TwilioNumbers
) -> None:
    far_end.add(NEW)
    far_end.add(TAKEN, url=THEIRS)
    plans = choose(account, NEW, TAKEN)
    sales = Inbox.objects.create(name="Sales")
    form = {
        "connect": "1",
        "chosen": [NEW, TAKEN],
        f"plan-{NEW}": plans[NEW],
        f"plan-{TAKEN}": plans[TAKEN],
        f"inbox-{NEW}": "new",
        f"inbox-{TAKEN}": str(sales.pk),
    }
    page = admin.post(address, form, follow=True).content.decode()
    assert "2 numbers are connected" in page
    assert Number.objects.get(address=NEW).inbox.name == "(202) 555-0120"
    assert Number.objects.get(address=TAKEN).inbox == sales
    assert far_end.url_of(TAKEN) == account.webhook_url
    row = NumberConnection.objects.get(address=NEW)
    assert row.connected_by is not None
    assert row.connected_by.username == "admin"


@pytest.mark.parametrize(("count", "ticked"), [(20, 20), (21, 0)])
def test_free_numbers_are_ticked_unless_there_are_many(
    admin: Client,
    address: str,
    account: CarrierAccount,
    far_end: TwilioNumbers,
    count: int,
    ticked: int,
) -> None:
    for at in range(count):
        far_end.add(f"+1604555{at:04}")
    choose(account)
    assert shown(admin, address).count("checked") == ticked


def test_the_page_says_first_that_no_carrier_reaches_this_address(
    admin: Client, address: str, account: CarrierAccount, far_end: TwilioNumbers, settings: Any
) -> None:
    far_end.add(NEW)
    choose(account)
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    page = shown(admin, address)
    assert "can't reach this Partyline at http://127.0.0.1:8000" in page
    assert "disabled" in page.partition('name="connect"')[2].partition("</button>")[0]


def test_nothing_ticked_changes_nothing(
    admin: Client, address: str, account: CarrierAccount, far_end: TwilioNumbers
) -> None:
    far_end.add(NEW)
    choose(account, NEW)
    page = admin.post(address, {"connect": "1"}, follow=True).content.decode()
    assert "nothing was changed" in page
    assert far_end.changes == []


@pytest.mark.parametrize(
    "form",
    [
        {"chosen": ["+19995550100"]},
        {"chosen": ["x" * 500]},
        {"chosen": [NEW], f"plan-{NEW}": "another-plan"},
        {"chosen": [NEW], f"plan-{NEW}": "", f"inbox-{NEW}": "9" * 30},
        {"chosen": [NEW], f"inbox-{NEW}": "no number"},
    ],
)
def test_a_form_with_nonsense_changes_nothing(
    admin: Client,
    address: str,
    account: CarrierAccount,
    far_end: TwilioNumbers,
    form: dict[str, Any],
) -> None:
    far_end.add(NEW, url=THEIRS)
    choose(account, NEW)
    assert admin.post(address, {"connect": "1", **form}).status_code == 302
    assert far_end.url_of(NEW) == THEIRS


def test_what_the_carrier_refuses_is_said(
    admin: Client, address: str, account: CarrierAccount, far_end: TwilioNumbers
) -> None:
    far_end.add(NEW)
    plans = choose(account, NEW)
    far_end.fail("status", status=403)
    form = {"connect": "1", "chosen": [NEW], f"plan-{NEW}": plans[NEW], f"inbox-{NEW}": "new"}
    page = admin.post(address, form, follow=True).content.decode()
    assert "lacks the permission for changing phone numbers" in page
    assert not Number.objects.filter(address=NEW).exists()


def test_a_list_that_broke_off_offers_to_read_the_rest(
    admin: Client, address: str, account: CarrierAccount, far_end: TwilioNumbers
) -> None:
    for at in range(1200):
        far_end.add(f"+1604555{at:04}", state="missing")
    far_end.fail("status", on="read", status=429, path="IncomingPhoneNumbers", skip=1)
    page = admin.post(address, {"look": "1"}, follow=True).content.decode()
    assert "asks us to wait" in page
    assert "1000 numbers" in page
    assert "so far" in page
    assert "Page 1 of 20" in page
    page = admin.post(address, {"more": "1"}, follow=True).content.decode()
    assert "1200 numbers" in page
    found = shown(admin, f"{address}?q=604555119")
    assert "10 numbers" in found
    assert "(604) 555-1195" in found


def test_connected_numbers_without_an_inbox_get_one_or_are_given_back(
    admin: Client, address: str, account: CarrierAccount, far_end: TwilioNumbers
) -> None:
    far_end.add(NEW)
    far_end.add(TAKEN, url=THEIRS)
    connected(account, NEW)
    connected(account, TAKEN)
    assert "Give it back to hooks.example.net" in shown(admin, address)
    admin.post(address, {"route": NEW, f"inbox-{NEW}": "new"})
    assert Number.objects.get(address=NEW).inbox.name == "(202) 555-0120"
    admin.post(address, {"give_back": TAKEN})
    assert far_end.url_of(TAKEN) == THEIRS


def test_a_number_that_was_changed_elsewhere_says_so_and_is_set_back(
    admin: Client, number: Number, account: CarrierAccount, far_end: TwilioNumbers
) -> None:
    far_end.add(FRONT_DESK)
    connected(account, FRONT_DESK)
    page = shown(admin, page_of(number))
    assert "Receiving" in page
    assert "Checked every hour." in page
    far_end.change_elsewhere(FRONT_DESK, THEIRS)
    page = deed(admin, number, "check")
    assert "New texts to this number don&#x27;t reach Partyline." in page or (
        "New texts to this number don't reach Partyline." in page
    )
    assert "Not receiving" in page
    assert THEIRS in page
    assert account.webhook_url in page
    assert "Checked every five minutes." in page
    page = deed(admin, number, "set-back")
    assert "It is set to Partyline." in page
    assert far_end.url_of(FRONT_DESK) == account.webhook_url
    assert "Set back" in page


def test_an_intended_change_is_left_alone(
    admin: Client, number: Number, account: CarrierAccount, far_end: TwilioNumbers
) -> None:
    far_end.add(FRONT_DESK)
    row = connected(account, FRONT_DESK)
    far_end.change_elsewhere(FRONT_DESK, THEIRS)
    check_number(connection=row)
    assert "Not watched" in deed(admin, number, "stop")
    assert far_end.url_of(FRONT_DESK) == THEIRS


def test_our_own_new_address_is_not_called_somebody_elses_change(
    admin: Client, number: Number, account: CarrierAccount, far_end: TwilioNumbers, settings: Any
) -> None:
    far_end.add(FRONT_DESK)
    row = connected(account, FRONT_DESK)
    settings.PUBLIC_URL = "https://new.example.com"
    check_number(connection=row)
    assert "PUBLIC_URL has changed" in shown(admin, page_of(number))


def test_deleting_a_number_offers_to_give_it_back(
    admin: Client, number: Number, account: CarrierAccount, far_end: TwilioNumbers
) -> None:
    far_end.add(FRONT_DESK, url=THEIRS)
    connected(account, FRONT_DESK)
    Number.objects.exclude(pk=number.pk).delete()
    url = reverse("admin:messaging_number_delete", args=[number.pk])
    assert "Set at Twilio what was there before" in shown(admin, url)
    far_end.fail("status", status=500)
    far_end.fail("silence", on="read", skip=1)
    admin.post(url, {"post": "yes", "give_back": "1"})
    assert Number.objects.filter(pk=number.pk).exists(), "what failed at the carrier stops it"
    admin.post(url, {"post": "yes", "give_back": "1"})
    assert not Number.objects.filter(pk=number.pk).exists()
    assert far_end.url_of(FRONT_DESK) == THEIRS


def test_deleting_without_giving_back_leaves_the_carrier_alone(
    admin: Client, number: Number, account: CarrierAccount, far_end: TwilioNumbers
) -> None:
    far_end.add(FRONT_DESK, url=THEIRS)
    connected(account, FRONT_DESK)
    changes = len(far_end.changes)
    admin.post(reverse("admin:messaging_number_delete", args=[number.pk]), {"post": "yes"})
    assert not Number.objects.filter(pk=number.pk).exists()
    assert len(far_end.changes) == changes


def test_giving_back_says_before_what_it_sets(
    admin: Client, number: Number, account: CarrierAccount, far_end: TwilioNumbers
) -> None:
    far_end.add(FRONT_DESK, url=THEIRS)
    connected(account, FRONT_DESK)
    page = shown(admin, page_of(number))
    assert "Give it back to hooks.example.net" in page
    assert THEIRS in page
    assert "given back" in deed(admin, number, "give-back")
    assert far_end.url_of(FRONT_DESK) == THEIRS


def test_a_number_that_is_gone_is_cleared_away_with_the_service_that_was_set_for_it(
    admin: Client, number: Number, account: CarrierAccount, far_end: TwilioNumbers
) -> None:
    far_end.add(FRONT_DESK, url=THEIRS)
    far_end.add(NEW, together_with=FRONT_DESK)
    row = connected(account, FRONT_DESK)
    far_end.numbers.pop(far_end.sid_of(FRONT_DESK))
    assert check_number(connection=row).state == NumberConnection.State.GONE
    assert "Clear it away" in shown(admin, page_of(number))
    deed(admin, number, "give-back")
    assert far_end.url_of(NEW) == THEIRS


def test_only_administrators_reach_these_pages(
    cast: Cast, number: Number, account: CarrierAccount, address: str, far_end: TwilioNumbers
) -> None:
    far_end.add(FRONT_DESK)
    row = connected(account, FRONT_DESK)
    changes = len(far_end.changes)
    connection = reverse("admin:messaging_number_connection", args=[number.pk])
    for client in (client_of(cast.ana), Client()):
        for url, form in [(address, {"look": "1"}), (connection, {"deed": "give-back"})]:
            assert client.get(url).status_code in (302, 403)
            assert client.post(url, form).status_code in (302, 403)
    row.refresh_from_db()
    assert row.state == NumberConnection.State.OURS
    assert len(far_end.changes) == changes


def test_strange_deeds_and_missing_rows_are_not_found(
    admin: Client, number: Number, account: CarrierAccount, address: str, far_end: TwilioNumbers
) -> None:
    far_end.add(FRONT_DESK)
    connection = reverse("admin:messaging_number_connection", args=[number.pk])
    assert admin.post(connection, {"deed": "check"}).status_code == 404, "it isn't connected"
    connected(account, FRONT_DESK)
    assert admin.post(connection, {"deed": "explode"}).status_code == 404
    assert admin.post(address, {"deed": "explode"}).status_code == 404
    assert admin.post(address, {"give_back": "nobody"}).status_code == 404
    for missing in ("0", "999999", "x", "9" * 30):
        assert admin.get(f"/admin/messaging/carrieraccount/{missing}/numbers/").status_code == 404
        assert admin.post(f"/admin/messaging/number/{missing}/connection/").status_code == 404


def test_a_carrier_that_cannot_be_set_by_its_api_shows_each_field_to_copy(
    admin: Client, account: CarrierAccount, number: Number, address: str
) -> None:
    CarrierAccount.objects.update(carrier="simulator")
    page = shown(admin, address)
    assert "API doesn't let Partyline do this" in page or "API doesn&#x27;t let" in page
    account.refresh_from_db()
    assert f'data-copy="{account.webhook_url}"' in page
    assert admin.post(address, {"look": "1"}).status_code == 404


def test_the_pages_take_few_queries(
    admin: Client,
    number: Number,
    account: CarrierAccount,
    address: str,
    far_end: TwilioNumbers,
    django_assert_max_num_queries: Any,
) -> None:
    for at in range(60):
        far_end.add(f"+1604555{at:04}", state="missing")
    far_end.add(FRONT_DESK)
    connected(account, FRONT_DESK)
    for at in range(10):
        inbox = Inbox.objects.create(name=f"Line {at}")
        add_number(account=account, address=f"+1604555{at:04}", inbox=inbox)
    with django_assert_max_num_queries(12):
        admin.get(address)
    with django_assert_max_num_queries(20):
        admin.get(page_of(number))
