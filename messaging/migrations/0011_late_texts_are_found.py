"""Indexes and rules of what 0010 brought, while everybody goes on writing."""

from __future__ import annotations

from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    ValidateConstraint,
)
from django.db import migrations, models
from django.db.models import Q

OLD = ["account", "carrier_message_id", "state", "error_code"]
WITHOUT = "DROP INDEX CONCURRENTLY IF EXISTS receipt_is_kept_once"
BUILD = """
CREATE UNIQUE INDEX CONCURRENTLY receipt_is_kept_once
    ON messaging_deliveryreceipt ({columns})
"""
SWAP = """
ALTER TABLE messaging_deliveryreceipt
    DROP CONSTRAINT IF EXISTS receipt_is_stored_once,
    ADD CONSTRAINT receipt_is_stored_once UNIQUE USING INDEX receipt_is_kept_once
"""


def columns(fields: list[str]) -> str:
    return ", ".join("account_id" if name == "account" else name for name in fields)


def once(fields: list[str]) -> list[str]:
    """The unique key over these: built aside, then put in the place of the one before."""
    return [WITHOUT, BUILD.format(columns=columns(fields)), SWAP]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("messaging", "0010_unknowns_and_late_texts")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(statement, reverse_sql=back)
                for statement, back in zip(
                    once([*OLD, "recipient"]), reversed(once(OLD)), strict=True
                )
            ],
            state_operations=[
                migrations.RemoveConstraint("deliveryreceipt", "receipt_is_stored_once"),
                migrations.AddConstraint(
                    "deliveryreceipt",
                    models.UniqueConstraint(
                        fields=[*OLD, "recipient"], name="receipt_is_stored_once"
                    ),
                ),
            ],
        ),
        AddIndexConcurrently(
            "attempt",
            models.Index(
                fields=["started_at"], condition=Q(state="unknown"), name="attempt_unknown"
            ),
        ),
        AddIndexConcurrently(
            "message",
            models.Index(
                fields=["thread", "after_id"],
                condition=Q(after_id__isnull=False),
                name="message_late",
            ),
        ),
        AddConstraintNotValid(
            "message",
            models.CheckConstraint(
                condition=Q(after_id=None) | Q(kind="inbound", carrier_sent_at__isnull=False),
                name="late_message_came_in_at_a_known_time",
            ),
        ),
        ValidateConstraint("message", "late_message_came_in_at_a_known_time"),
    ]
