"""Office documents have types of more than 64 letters."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    # No table is held while the other one is waited for.
    atomic = False

    dependencies = [("messaging", "0012_push_subscriptions_pause")]

    operations = [
        migrations.AlterField(
            "attachment",
            "content_type",
            models.CharField(
                blank=True,
                default="",
                help_text="What its bytes say, not its sender.",
                max_length=128,
            ),
        ),
        migrations.AlterField("publiclink", "content_type", models.CharField(max_length=128)),
    ]
