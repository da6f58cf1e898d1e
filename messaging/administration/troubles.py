"""Hold one thing that is wrong, as the administration's first page says it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.urls import reverse

# What happened is told for so long.
LATELY = timedelta(days=1)

# More are not counted: "1,000+" says as much.
MANY = 1000


@dataclass(frozen=True, slots=True)
class Trouble:
    """Name what is wrong, how often, what it means, and the page where it is mended."""

    name: str
    count: int
    title: str
    words: str  # may be HTML that is marked as safe
    url: str
    link: str

    @property
    def count_words(self) -> str:
        return f"{MANY:,}+" if self.count > MANY else f"{self.count:,}"


def list_url(model: str, query: str = "") -> str:
    """Return the address of a list of the administration, filtered by a query like `a=b`."""
    return reverse(f"admin:messaging_{model}_changelist") + (f"?{query}" if query else "")


def page_url(model: str, pk: int) -> str:
    return reverse(f"admin:messaging_{model}_change", args=[pk])
