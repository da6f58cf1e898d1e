"""How many wrong passwords one name, and one address, may try."""

from __future__ import annotations

from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_cool_off, get_failure_limit
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Sum


class Throttle(AxesDatabaseHandler):
    """Axes' own, which counts by name and address, with a second and larger limit by address.

    A sign-in that succeeds forgets the failures of its own name only: who has one account cannot
    go on guessing others' by signing in to it now and then.
    """

    def get_failures(self, request: Any, credentials: dict[str, Any] | None = None) -> int:
        failures: int = super().get_failures(request, credentials)
        if address_failures(request) < settings.SIGN_IN_FAILURES_PER_ADDRESS:
            return failures
        limit: int = get_failure_limit(request, credentials)
        return max(failures, limit)


def address_failures(request: Any) -> int:
    """Count what went wrong from the request's address lately, whatever the name."""
    since = request.axes_attempt_time - get_cool_off(request)
    recent = AccessAttempt.objects.filter(
        ip_address=request.axes_ip_address, attempt_time__gte=since
    )
    return recent.aggregate(total=Sum("failures_since_start"))["total"] or 0
