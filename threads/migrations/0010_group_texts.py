"""Whether a contact's last text went to a group. The default is constant: no row is rewritten."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("threads", "0009_needs_reply_can_be_answered")]

    operations = [
        migrations.AddField(
            "thread",
            "is_to_group",
            models.BooleanField(
                db_default=False,
                default=False,
                editable=False,
                help_text="Whether the contact's last text went to a group of people.",
            ),
        ),
    ]
