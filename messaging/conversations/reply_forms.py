"""Forms of saved replies."""

from __future__ import annotations

from django import forms

from inboxes.integers import IntegerField
from messaging.conversations.start_forms import AddressField


class OffersForm(forms.Form):
    """Read the recipient of a first text, as far as it is typed, and the words that are sought."""

    to = AddressField(required=False)
    q = forms.CharField(required=False, max_length=200)


class UseForm(forms.Form):
    """Read the thread in whose composer a reply was inserted; none for a first text.

    A scheduled text that is changed takes its words only.
    """

    thread = IntegerField(required=False)
    words_only = forms.BooleanField(required=False)
