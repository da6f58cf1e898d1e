"""The sign that a contact's tapbacks leave on a message. It is empty on all that exist."""

from __future__ import annotations

from django.db import migrations, models

from inboxes.live_migrations import AddLiveField


class Migration(migrations.Migration):
    # No table is held while another one is waited for.
    atomic = False

    dependencies = [("messaging", "0032_notifications_of_work")]

    operations = [
        AddLiveField(
            "message",
            "reacted_with",
            models.CharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                help_text="The sign that the contact's tapbacks leave on this message.",
                max_length=32,
            ),
        ),
    ]
