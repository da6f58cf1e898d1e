from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.db.models import QuerySet

from messaging.models import Number
from messaging.simulator.models import FarEnd
from threads import addresses


def simulated_numbers() -> QuerySet[Number]:
    """Return the numbers that the simulated carrier reaches."""
    return (
        Number.objects.filter(account__carrier="simulator")
        .select_related("inbox", "account")
        .order_by("address")
    )


def _number_choices() -> list[tuple[int, str]]:
    return [
        (number.pk, f"{number.inbox.name}, {addresses.format_address(number.address)}")
        for number in simulated_numbers()
    ]


class FromForm(forms.Form):
    """Read whose handset it is. Any sender will do: a number, a short code, a name."""

    sender = forms.CharField(label="From", max_length=addresses.MAX_LENGTH)

    def clean_sender(self) -> str:
        address, _ = addresses.normalise_address(self.cleaned_data["sender"])
        return address


class PicturesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class PicturesField(forms.FileField):
    """Take several files of any kind, as from a phone."""

    widget = PicturesInput

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        return list(data or [])


class HandsetForm(FromForm):
    """Read one text from an external number to one of ours."""

    number = forms.TypedChoiceField(
        label="To",
        coerce=int,
        choices=_number_choices,
        # It stands at the top of the phone, outside of the form's element.
        widget=forms.Select({"form": "handset"}),
    )
    text = forms.CharField(
        label="Text", max_length=settings.MESSAGE_LIMIT, strip=False, required=False
    )
    pictures = PicturesField(label="Pictures", required=False)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not cleaned.get("text") and not cleaned.get("pictures") and not self.errors:
            self.add_error("text", "Write something first.")
        return cleaned


class FarEndForm(forms.Form):
    """Read how the far end is to answer from now on."""

    answer = forms.ChoiceField(label="Carrier", choices=FarEnd.Answer.choices)
    receipts = forms.ChoiceField(label="Receipts", choices=FarEnd.Receipts.choices)

    @classmethod
    def shown(cls) -> FarEndForm:
        """Return the form with what is set now."""
        now = FarEnd.current()
        return cls(initial={"answer": now.answer, "receipts": now.receipts})
