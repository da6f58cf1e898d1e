"""Helpers for database connections."""

from __future__ import annotations

from django.db import connection, models


def release_connection() -> None:
    """Give this thread's connection back to the pool, which also replaces a broken one.

    Does nothing inside a transaction.
    """
    if not connection.in_atomic_block:
        connection.close()


def save_columns(row: models.Model, **columns: object) -> None:
    """Set these columns of a row, and write them alone."""
    for name, value in columns.items():
        setattr(row, name, value)
    row.save(update_fields=list(columns))
