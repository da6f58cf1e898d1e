from __future__ import annotations

from django.forms import BaseForm


def first_error(form: BaseForm) -> str:
    """Return the sentence of the first field that is wrong; the form must not be valid."""
    return str(next(iter(form.errors.values()))[0])
