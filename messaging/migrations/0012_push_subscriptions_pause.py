"""How often a browser's push service failed in a row, and until when it is left alone."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0011_late_texts_are_found")]

    operations = [
        migrations.AddField(
            "pushsubscription",
            "failures",
            models.PositiveSmallIntegerField(
                db_default=0, default=0, help_text="Calls in a row that came to nothing."
            ),
        ),
        migrations.AddField(
            "pushsubscription",
            "paused_until",
            models.DateTimeField(help_text="It is left alone until then.", null=True),
        ),
    ]
