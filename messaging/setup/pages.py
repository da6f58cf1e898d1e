"""Draw the pages of the set-up: the list of steps beside the step itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from messaging.setup.checklist import Checklist, Step, read_checklist

TIMES_LEFT = {
    "administrator": "about four minutes left",
    "carrier": "about three minutes left",
    "numbers": "about two minutes left",
    "inbox": "about one minute left",
    "colleagues": "almost done",
}
# What is drawn as nobody's step
DONE = "done"


@dataclass(frozen=True)
class ListedStep:
    """One step as the list beside the page shows it."""

    step: Step
    is_current: bool
    is_linked: bool  # Before there is an administrator, no other step can be opened.

    @property
    def is_ticked(self) -> bool:
        return not self.step.is_missing

    @property
    def spoken_state(self) -> str:
        return "Done: " if self.is_ticked else ""


def show_page(
    request: HttpRequest,
    template: str,
    name: str,
    context: dict[str, Any] | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    """Draw a page that belongs to the step `name`. It is never stored, nor named as a Referer."""
    checklist = read_checklist()
    drawn = frame_context(checklist, name) | (context or {})
    response = render(request, template, drawn, status=status)
    return keep_private(response)


def frame_context(checklist: Checklist, name: str) -> dict[str, Any]:
    """Return what the frame of the pages needs."""
    has_administrator = checklist.find("administrator").is_done
    listed = [
        ListedStep(
            step, is_current=step.name == name, is_linked=has_administrator and step.number > 1
        )
        for step in checklist.steps
    ]
    return {
        "checklist": checklist,
        "listed": listed,
        "place": _place(checklist, name),
        "back": _neighbour(checklist, name, -1) if name != "carrier" else "",
        "onward": _neighbour(checklist, name, +1),
    }


def keep_private(response: HttpResponse) -> HttpResponse:
    """Keep the page out of caches and search engines, and its address out of Referers.

    The origin is still sent: without one, forms would not pass the check against forgeries.
    """
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Referrer-Policy"] = "strict-origin"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _place(checklist: Checklist, name: str) -> str:
    if name == DONE:
        return "All steps"
    step = checklist.find(name)
    return f"Step {step.number} of {len(checklist.steps)}, {TIMES_LEFT[name]}"


def _neighbour(checklist: Checklist, name: str, way: int) -> str:
    """Return the address of the page before or after a step."""
    names = [*(step.name for step in checklist.steps), DONE]
    at = names.index(name) + way
    if at >= len(checklist.steps):
        return reverse("messaging:setup_done")
    return checklist.steps[at].url if at > 0 else ""
