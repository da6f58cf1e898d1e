"""An index for the administrators' list of attempts that failed or are unknown."""

from __future__ import annotations

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    # Texts go on leaving while the index is built.
    atomic = False

    dependencies = [("messaging", "0019_carriers_own_words")]

    operations = [
        AddIndexConcurrently(
            "attempt",
            models.Index(
                condition=Q(state__in=["failed", "unknown"]),
                fields=["-id"],
                name="attempt_went_wrong",
            ),
        ),
    ]
