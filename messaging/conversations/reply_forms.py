"""Forms of saved replies."""

from __future__ import annotations

from django import forms

from inboxes.integers import IntegerField
from messaging.conversations.start_forms import AddressField


class OffersForm(forms.Form):
    """Read the recipient of a first text, as far as it is typed."""

    to = AddressField(required=False)


class UseForm(forms.Form):
    """Read the thread in whose composer a reply was inserted; none for a first text."""

    thread = IntegerField(required=False)
