"""A clock that a test may put forward."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone


class Clock:
    """The product's; the database's own and the far end's go on as they did."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead = timedelta()
        self._now = timezone.now
        monkeypatch.setattr(timezone, "now", self.now)

    def now(self) -> datetime:
        return self._now() + self.ahead

    def pass_by(self, time: timedelta) -> None:
        self.ahead += time


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Import this fixture where it is wanted."""
    return Clock(monkeypatch)
