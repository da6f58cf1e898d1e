"""Helpers for database connections."""

from __future__ import annotations

from django.db import connection


def release_connection() -> None:
    """Give this thread's connection back to the pool, which also replaces a broken one.

    Does nothing inside a transaction.
    """
    if not connection.in_atomic_block:
        connection.close()
