"""A clock that a test can put forward."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone


class Clock:
    """Puts Django's clock forward, but not the clocks of the database and of the far end."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead = timedelta()
        self._now = timezone.now
        monkeypatch.setattr(timezone, "now", self.now)

    def now(self) -> datetime:
        return self._now() + self.ahead

    def advance(self, time: timedelta) -> None:
        self.ahead += time


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Put Django's clock forward. Test modules import this fixture."""
    return Clock(monkeypatch)
