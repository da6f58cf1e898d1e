"""In which inbox an opt-out was recorded and ended: its members alone read by whom and why."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

from inboxes.live_migrations import AddLiveField


def inbox(help_text: str) -> models.ForeignKey:
    return models.ForeignKey(
        db_index=False,
        editable=False,
        help_text=help_text,
        null=True,
        on_delete=django.db.models.deletion.SET_NULL,
        related_name="+",
        to="inboxes.inbox",
    )


class Migration(migrations.Migration):
    # No table is held while another one is waited for.
    atomic = False

    dependencies = [
        ("messaging", "0025_plain_words"),
        ("inboxes", "0008_words_of_the_administration"),
    ]

    operations = [
        AddLiveField(
            "optout",
            "recorded_in",
            inbox("Only its members see who recorded it, and why."),
            first="inboxes_inbox",
        ),
        AddLiveField(
            "optout",
            "ended_in",
            inbox("Only its members see who ended it, and why."),
            first="inboxes_inbox",
        ),
    ]
