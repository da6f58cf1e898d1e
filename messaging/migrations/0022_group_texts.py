"""To whom a group text went besides us. The default is constant: no row is rewritten."""

from __future__ import annotations

from django.db import migrations, models
from django.db.models import Value


class Migration(migrations.Migration):
    dependencies = [("messaging", "0021_needs_reply_can_be_answered")]

    operations = [
        migrations.AddField(
            "message",
            "other_recipients",
            models.JSONField(
                blank=True,
                db_default=Value([], models.JSONField()),
                default=list,
                editable=False,
                help_text="Addresses to which an inbound group text went besides our number.",
            ),
        ),
    ]
