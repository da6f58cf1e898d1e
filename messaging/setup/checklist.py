"""Tell what an installation still needs before its team can answer texts.

Everything is read from the record, so the list is the same for the set-up and for the
administration's first page, whoever did a step and however.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Exists, OuterRef
from django.urls import reverse

from inboxes.encryption import UndecryptableError
from inboxes.models import Agent, Inbox, Membership, OneTimeLink
from inboxes.sign_in import demand
from messaging.models import CarrierAccount, Number

SIMULATOR = "simulator"
USING_SIMULATOR = "You’re using the simulator: connect a carrier."


class StepState(StrEnum):
    DONE = "done"
    # Good enough to go on with, but not to work with: the simulator.
    TRYING = "trying"
    MISSING = "missing"


@dataclass(frozen=True)
class Step:
    """One step of the set-up. `about` says what was done, or what the step is for."""

    name: str
    number: int
    title: str
    about: str
    state: StepState
    todo: str  # What an administrator is told to do while it is not done
    url: str

    @property
    def is_done(self) -> bool:
        return self.state == StepState.DONE

    @property
    def is_missing(self) -> bool:
        return self.state == StepState.MISSING


@dataclass(frozen=True)
class Checklist:
    steps: tuple[Step, ...]

    @property
    def missing(self) -> list[Step]:
        """Return the steps that the administration asks for: all but those that are done."""
        return [step for step in self.steps if not step.is_done]

    @property
    def is_complete(self) -> bool:
        return not self.missing

    @property
    def next_step(self) -> Step | None:
        """Return the step at which the set-up goes on, or None at its end."""
        return next((step for step in self.steps if step.is_missing), None)

    def find(self, name: str) -> Step:
        return next(step for step in self.steps if step.name == name)


def read_checklist() -> Checklist:
    """Read what has been done, in a few small queries."""
    accounts = list(CarrierAccount.objects.filter(is_active=True).order_by("pk"))
    return Checklist(
        (
            _administrator_step(),
            _carrier_step(accounts),
            _numbers_step(),
            _inbox_step(),
            _colleagues_step(),
        )
    )


def has_credentials(account: CarrierAccount) -> bool:
    """Return True if everything that the carrier needs is stored and can be decrypted."""
    try:
        stored = account.get_credentials()
    except UndecryptableError:
        return False
    fields = account.adapter.credential_fields if account.is_on else ()
    return bool(fields) and all(stored.get(field.name) for field in fields if field.is_required)


def _step(
    number: int, name: str, title: str, state: StepState, *, done: str, undone: str, todo: str
) -> Step:
    about = undone if state == StepState.MISSING else done
    return Step(name, number, title, about, state, todo, reverse(f"messaging:setup_{name}"))


def _administrator_step() -> Step:
    first = Agent.objects.filter(is_staff=True, is_active=True).order_by("pk").first()
    secured = ", two-step sign-in on" if first and demand.has_second_factor(first) else ""
    return _step(
        1,
        "administrator",
        "Administrator",
        StepState.MISSING if first is None else StepState.DONE,
        done=f"{first}{secured}",
        undone="Your name and how you sign in",
        todo="Make an administrator.",
    )


def _carrier_step(accounts: list[CarrierAccount]) -> Step:
    known = [account for account in accounts if account.is_on]
    real = [account for account in known if account.carrier != SIMULATOR]
    ready = [account for account in real if has_credentials(account)]
    is_trying = not ready and len(known) > len(real)
    state = StepState.DONE if ready else StepState.TRYING if is_trying else StepState.MISSING
    todo = "Connect your carrier account."
    if real and not ready:
        todo = f"Enter what {real[0].adapter.label} needs for {real[0].name}."
    return _step(
        2,
        "carrier",
        "Carrier",
        state,
        done=", ".join(dict.fromkeys(account.adapter.label for account in ready)) or "Simulator",
        undone="Who carries your texts",
        todo=USING_SIMULATOR if is_trying else todo,
    )


def _numbers_step() -> Step:
    numbers = Number.objects.filter(account__is_active=True)
    real = numbers.exclude(account__carrier=SIMULATOR)
    shown = real if real.exists() else numbers
    count = shown.count()
    one = shown.order_by("pk").first()
    state = StepState.MISSING
    if one is not None:
        state = StepState.DONE if one.account.carrier != SIMULATOR else StepState.TRYING
    return _step(
        3,
        "numbers",
        "Choose numbers",
        state,
        done=f"{count} numbers" if one is None or count > 1 else one.display,
        undone="Which numbers Partyline answers",
        todo="Choose which of your numbers Partyline answers.",
    )


def _inbox_step() -> Step:
    members = Membership.objects.filter(inbox=OuterRef("pk"))
    with_number = Inbox.objects.filter(number__isnull=False)
    answered = with_number.filter(Exists(members)) | with_number.exclude(owner=None)
    first = answered.order_by("pk").first()
    lonely = with_number.filter(~Exists(members), owner=None).order_by("pk").first()
    todo = "Make an inbox for a number, and put its members into it."
    if lonely is not None:
        todo = f"Nobody sees the texts of {lonely.name}: put members into it."
    is_done = first is not None and lonely is None
    return _step(
        4,
        "inbox",
        "First inbox",
        StepState.DONE if is_done else StepState.MISSING,
        done=first.name if first else "",
        undone="A name for the shared inbox",
        todo=todo,
    )


def _colleagues_step() -> Step:
    agents = Agent.objects.filter(is_active=True).count()
    invited = OneTimeLink.objects.invitations().waiting().count()
    is_done = agents > 1 or invited > 0
    told = [f"{agents} agents"] if agents > 1 else []
    told += [f"{invited} invited"] if invited else []
    return _step(
        5,
        "colleagues",
        "Colleagues",
        StepState.DONE if is_done else StepState.MISSING,
        done=", ".join(told),
        undone="Invitations, valid for three days",
        todo="Invite your colleagues.",
    )
