"""The form by which administrators invite colleagues, several at once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models.functions import Lower

from inboxes.models import Agent, Inbox

MOST_AT_ONCE = 100
LONGEST_NAME = 120

_NAME_AND_ADDRESS = re.compile(r"(?P<name>[^<>]*)<(?P<email>[^<>]*)>")


@dataclass(frozen=True, slots=True)
class Invitee:
    name: str = ""
    email: str = ""


class InviteForm(forms.Form):
    """Read whom to invite, one a line, and what they may do."""

    people = forms.CharField(
        label="Whom to invite",
        required=False,
        max_length=20_000,
        help_text=(
            "One a line: a name, an e-mail address, or both, like Eva Stone <eva@example.com>. "
            "Leave it empty for one link without a name."
        ),
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
    )
    inboxes = forms.ModelMultipleChoiceField(
        label="Inboxes that they join",
        queryset=Inbox.objects.shared().order_by("name", "pk"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    is_administrator = forms.BooleanField(
        label="Administrator",
        required=False,
        help_text="May use this administration, and invite others.",
    )

    def clean_people(self) -> list[Invitee]:
        lines = str(self.cleaned_data["people"]).splitlines()
        filled = [(n, " ".join(line.split())) for n, line in enumerate(lines, 1) if line.strip()]
        if len(filled) > MOST_AT_ONCE:
            raise ValidationError(f"That's more than {MOST_AT_ONCE} people. Invite some later.")
        invitees, errors = [], []
        for number, line in filled:
            try:
                invitees.append(_read_invitee(line))
            except ValidationError as error:
                errors += [f"Line {number}: {sentence}" for sentence in error.messages]
        errors += _doubled(invitees) + _already_here(invitees)
        if errors:
            raise ValidationError(errors)
        return invitees or [Invitee()]

    def values(self) -> list[dict[str, Any]]:
        """Return what `invite` takes for each invitee, of a valid form."""
        shared = {
            "inboxes": list(self.cleaned_data["inboxes"]),
            "is_administrator": self.cleaned_data["is_administrator"],
        }
        return [
            {"name": one.name, "email": one.email, **shared} for one in self.cleaned_data["people"]
        ]


def _read_invitee(line: str) -> Invitee:
    """Raise ValidationError for what is neither a name nor an address."""
    both = _NAME_AND_ADDRESS.fullmatch(line)
    if both is not None:
        invitee = Invitee(both["name"].strip(), both["email"].strip())
    elif "@" in line:
        invitee = Invitee(email=line)
    else:
        invitee = Invitee(name=line)
    if both is not None or invitee.email:
        try:
            validate_email(invitee.email)
        except ValidationError:
            raise ValidationError(f"{invitee.email or line} isn't an e-mail address.") from None
    if len(invitee.name) > LONGEST_NAME:
        raise ValidationError(f"That name is longer than {LONGEST_NAME} characters.")
    return invitee


def _doubled(invitees: list[Invitee]) -> list[str]:
    addresses = [one.email.lower() for one in invitees if one.email]
    doubled = dict.fromkeys(address for address in addresses if addresses.count(address) > 1)
    return [f"{address} is there twice." for address in doubled]


def _already_here(invitees: list[Invitee]) -> list[str]:
    """Say which addresses are agents' already."""
    wanted = [one.email.lower() for one in invitees if one.email]
    agents = Agent.objects.annotate(address=Lower("email")).filter(address__in=wanted)
    return [
        f"{agent.email} is {agent.display_name}'s, who is here already."
        for agent in agents.order_by("pk")
    ]
