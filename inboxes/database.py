"""Helpers for the database's connections."""

from __future__ import annotations

from django.db import connection


def release_connection() -> None:
    """Give this thread's connection back to the pool; also what heals a broken one.

    Inside a transaction it is kept.
    """
    if not connection.in_atomic_block:
        connection.close()
