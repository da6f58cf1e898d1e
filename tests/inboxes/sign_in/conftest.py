from __future__ import annotations

import pytest
from pytest_django import Settings


@pytest.fixture(autouse=True)
def _cheap_hashes(settings: Settings) -> None:
    """Hash cheaply: these tests sign in hundreds of times."""
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]


@pytest.fixture
def _real_hashes(settings: Settings, _cheap_hashes: None) -> None:
    settings.PASSWORD_HASHERS = settings.PASSWORD_HASHERS[1:]
