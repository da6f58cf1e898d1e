"""Say in our words how far a number's registration is, alike for all carriers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import phonenumbers

from messaging.carriers import results
from messaging.carriers.api_calls import Interrupted
from messaging.carriers.numbers import Kind, Registration

State = Literal["good", "waiting", "refused", "missing"]


def toll_free(state: State, label: str) -> Registration:
    """Return what the verification of a toll-free number means. `label` names the carrier."""
    match state:
        case "good":
            return Registration("Verified", "The toll-free number is verified.", "good")
        case "waiting":
            return Registration(
                "In review",
                "Its toll-free verification is in review. Until it is approved, the networks "
                "refuse its texts.",
                "waiting",
                blocks_sending=True,
            )
        case "refused":
            return Registration(
                "Verification refused",
                f"Its toll-free verification was refused. {label}'s console says why; correct it "
                "there, then look again.",
                "bad",
                blocks_sending=True,
            )
        case "missing":
            return Registration(
                "Not verified",
                "The networks refuse texts from a toll-free number that isn't verified. Verify it "
                f"in {label}'s console, then look again.",
                "bad",
                blocks_sending=True,
            )


def campaign(state: State, label: str) -> Registration:
    """Return what a number's 10DLC campaign means. `label` names the carrier."""
    match state:
        case "good":
            return Registration("Registered", "It belongs to a registered 10DLC campaign.", "good")
        case "waiting":
            return Registration(
                "Registration pending",
                "Its registration for a 10DLC campaign is pending. Until then, networks in the "
                "United States refuse its texts.",
                "waiting",
                blocks_sending=True,
            )
        case "refused":
            return Registration(
                "Registration failed",
                f"Its registration for a 10DLC campaign failed. {label}'s console says why; "
                "correct it there, then look again.",
                "bad",
                blocks_sending=True,
            )
        case "missing":
            return Registration(
                "Not registered",
                "It belongs to no 10DLC campaign, so networks in the United States refuse its "
                f"texts. Register it in {label}'s console, then look again.",
                "bad",
                blocks_sending=True,
            )


def needs_campaign(address: str) -> bool:
    """Return True for an ordinary number of the United States; +1 is also Canada's and others'."""
    if not address.startswith("+1"):
        return False
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(address)) == "US"
    except phonenumbers.NumberParseException:
        return False


@dataclass(slots=True)
class Register:
    """Look numbers up in what a carrier tells of registrations.

    Either function returns a number's state, None for a word that we don't know, and raises
    Interrupted. What can't be read is asked for once, left out, and told as a gap.
    """

    label: str
    verification_of: Callable[[str], State | None]
    campaign_of: Callable[[str], State | None]
    gaps: dict[str, None] = field(default_factory=dict)

    def look_up(self, address: str, kind: Kind) -> Registration | None:
        """Return a number's registration; None if none is needed, or nothing can be told."""
        if kind == "toll_free":
            what = "Whether toll-free numbers are verified"
            state = self._ask(self.verification_of, address, what)
            return toll_free(state, self.label) if state else None
        if kind == "local" and needs_campaign(address):
            what = "Whether numbers are registered for 10DLC"
            state = self._ask(self.campaign_of, address, what)
            return campaign(state, self.label) if state else None
        return None

    def _ask(self, ask: Callable[[str], State | None], address: str, what: str) -> State | None:
        gap = f"{what} could not be read from {self.label}."
        if gap in self.gaps:
            return None
        try:
            return ask(address)
        except Interrupted as stop:
            if isinstance(stop.reason, results.AuthFailed | results.RateLimited):
                raise
            self.gaps[gap] = None
            return None
