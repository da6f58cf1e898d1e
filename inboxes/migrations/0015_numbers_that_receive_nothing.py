"""Since when an inbox's number is known to receive no texts."""

from __future__ import annotations

from django.db import migrations, models

from inboxes.live_migrations import AddLiveField


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("inboxes", "0014_words_of_invitations")]

    operations = [
        AddLiveField(
            "inbox",
            "not_receiving_since",
            models.DateTimeField(
                editable=False,
                help_text="Since when new texts to its number are known not to come here.",
                null=True,
            ),
        ),
    ]
