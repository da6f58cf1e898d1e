"""Actions of the set-up. Each can be repeated: what has been done already stays as it is."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping

from django.contrib.auth.hashers import make_password
from django.db import transaction

from inboxes import admin_log
from inboxes.actions import add_member, announce_inbox, remove_member
from inboxes.encryption import UndecryptableError
from inboxes.models import Agent, Inbox
from messaging.accounts.adding import add_number
from messaging.carriers.base import Carrier
from messaging.models import CarrierAccount, Number
from messaging.setup import key
from messaging.setup.checklist import SIMULATOR
from messaging.stream.replies import follow_number

FIRST_INBOX = "Front Desk"
# The range that no telephone company gives out; (202) is Washington, DC.
PRACTICE_NUMBERS = [f"+1202555{last:04d}" for last in range(110, 200)]


class NumberTaken(Exception):
    """A number belongs to another account of ours already."""

    def __init__(self, number: Number) -> None:
        super().__init__("the number is taken")
        self.number = number


def create_administrator(*, display_name: str, username: str, password: str) -> Agent:
    """Make the first administrator. The password is taken as it is; the form has checked it.

    Raises AlreadySetUp for whoever comes second.
    """
    # Hashing may wait for its turn, and must not hold a transaction meanwhile.
    password_hash = make_password(password)
    with transaction.atomic():
        first_start = key.lock_first_start()
        if first_start.ended_at is not None or not key.is_empty():
            raise key.AlreadySetUp
        administrator = Agent(
            username=Agent.normalize_username(username),
            display_name=display_name,
            is_staff=True,
            password=password_hash,
        )
        administrator.save()
        key.end_first_start(administrator=administrator)
    return administrator


@transaction.atomic
def store_account(
    *,
    carrier: Carrier,
    credentials: Mapping[str, str],
    stored_by: Agent,
    replaces: CarrierAccount | None = None,
) -> CarrierAccount:
    """Store a carrier account whose credentials the carrier accepted.

    It is a new one unless it `replaces` those of an account. What that has besides is kept.
    """
    key.lock_first_start()
    of_carrier = CarrierAccount.objects.select_for_update().filter(carrier=carrier.name)
    given = dict(credentials)
    if replaces is not None:
        account = of_carrier.get(pk=replaces.pk)
        account.set_credentials(_readable_credentials(account) | given)
        account.save(update_fields=["encrypted_credentials"])
        admin_log.log_change(stored_by, account, "Changed the secrets.")
        return account
    for known in of_carrier.filter(is_active=True):
        if given.items() <= _readable_credentials(known).items():
            return known  # The form was sent twice.
    account = CarrierAccount(carrier=carrier.name, name=_account_name(carrier.label))
    account.set_credentials(given)
    account.save()
    admin_log.log_addition(stored_by, account, "Connected.")
    return account


def _readable_credentials(account: CarrierAccount) -> dict[str, str]:
    try:
        return account.get_credentials()
    except UndecryptableError:
        return {}


def _account_name(label: str) -> str:
    taken = set(CarrierAccount.objects.values_list("name", flat=True))
    return _free_name(label, taken)


def _free_name(name: str, taken: Collection[str]) -> str:
    """Return the name, with a number behind it if it is taken."""
    chosen, count = name, 1
    while chosen in taken:
        count += 1
        chosen = f"{name} {count}"
    return chosen


@transaction.atomic
def start_simulator() -> CarrierAccount:
    """Make an account of the simulator with a made-up number, unless there is one in use."""
    key.lock_first_start()
    account = CarrierAccount.objects.filter(carrier=SIMULATOR, is_active=True).first()
    if account is None:
        account = CarrierAccount(carrier=SIMULATOR, name="Simulator")
        account.set_credentials({"secret": secrets.token_urlsafe(32)})
        account.save()
    if not account.numbers.exists():
        taken = set(Number.objects.values_list("address", flat=True))
        free = next(address for address in PRACTICE_NUMBERS if address not in taken)
        route_numbers(account=account, addresses=[free])
    return account


@transaction.atomic
def route_numbers(
    *, account: CarrierAccount, addresses: Collection[str], names: Mapping[str, str] | None = None
) -> list[Number]:
    """Give each number an inbox, and return those that were new.

    Shared inboxes without a number come first, then those with a number of the simulator, which
    gives way to a real one. For more numbers inboxes are made, called as `names` suggests.
    Raises NumberTaken.
    """
    key.lock_first_start()
    known = {
        number.address: number
        for number in Number.objects.filter(address__in=addresses).select_related("account")
    }
    for number in known.values():
        if number.account_id != account.pk:
            raise NumberTaken(number)
    free = _free_inboxes(account)
    made = []
    for address in addresses:
        if address in known:
            continue
        inbox = free.pop(0) if free else _create_inbox((names or {}).get(address, ""))
        made.append(_put_number(address, account=account, inbox=inbox))
    if account.carrier != SIMULATOR:
        CarrierAccount.objects.filter(carrier=SIMULATOR, numbers=None).update(is_active=False)
    return made


def _free_inboxes(account: CarrierAccount) -> list[Inbox]:
    shared = Inbox.objects.shared().order_by("pk")
    free = list(shared.filter(number=None))
    if account.carrier != SIMULATOR:
        free += shared.filter(number__account__carrier=SIMULATOR)
    return free


def _put_number(address: str, *, account: CarrierAccount, inbox: Inbox) -> Number:
    gone = Number.objects.filter(inbox=inbox).first()
    if gone is not None:
        gone.delete()
        follow_number(inbox_id=inbox.pk, our_addresses=[gone.address])
    Number(address=address, account=account).clean()
    return add_number(account=account, address=address, inbox=inbox)


def _create_inbox(suggested: str) -> Inbox:
    taken = set(Inbox.objects.shared().values_list("name", flat=True))
    name = suggested or FIRST_INBOX
    if FIRST_INBOX not in taken:
        name = FIRST_INBOX
    return Inbox.objects.create(name=_free_name(name, taken))


@transaction.atomic
def name_inbox(*, inbox: Inbox | None, name: str, joins: bool, agent: Agent) -> Inbox:
    """Give an inbox its name, or make it; the agent joins it, or leaves it."""
    if inbox is None:
        inbox = Inbox.objects.create(name=name)
    elif inbox.name != name:
        inbox.name = name
        inbox.save()
        announce_inbox(inbox=inbox)
    if joins:
        add_member(inbox=inbox, agent=agent, changed_by=agent)
    else:
        remove_member(inbox=inbox, agent=agent, changed_by=agent)
    return inbox
