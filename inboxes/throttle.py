"""Limits for wrong passwords, by user name and by network address."""

from __future__ import annotations

from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_cool_off, get_failure_limit
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Sum


class SignInThrottle(AxesDatabaseHandler):
    """Adds a second, larger limit by address to the limit by name and address that axes has.

    A successful sign-in clears only the failures of its own name. Otherwise somebody with an
    account could guess the passwords of others, and sign in now and then to go on.
    """

    def get_failures(self, request: Any, credentials: dict[str, Any] | None = None) -> int:
        failures: int = super().get_failures(request, credentials)
        if count_address_failures(request) < settings.SIGN_IN_FAILURES_PER_ADDRESS:
            return failures
        limit: int = get_failure_limit(request, credentials)
        return max(failures, limit)


def count_address_failures(request: Any) -> int:
    """Count the recent failures from the request's address, for all names together."""
    since = request.axes_attempt_time - get_cool_off(request)
    recent = AccessAttempt.objects.filter(
        ip_address=request.axes_ip_address, attempt_time__gte=since
    )
    return recent.aggregate(total=Sum("failures_since_start"))["total"] or 0
