from __future__ import annotations

from collections.abc import Iterator

import pytest

from messaging.carriers import bandwidth_login
from tests.messaging.carriers.fixtures.bandwidth import BANDWIDTH


@pytest.fixture(autouse=True)
def logged_in_at_bandwidth() -> Iterator[None]:
    """Begin as a process that has logged in already; tests of the login forget it first."""
    bandwidth_login.remember(BANDWIDTH.credentials, "a-token")
    yield
    bandwidth_login.forget(BANDWIDTH.credentials)
