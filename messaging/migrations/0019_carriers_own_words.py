"""What the carrier itself says of a failure, on the attempt and on its receipt."""

from __future__ import annotations

from django.db import migrations, models

from inboxes.live_migrations import AddLiveField


def words() -> models.CharField[str, str]:
    return models.CharField(
        blank=True,
        db_default="",
        default="",
        help_text="What the carrier itself says of the failure. It may repeat phone numbers.",
        max_length=300,
    )


class Migration(migrations.Migration):
    # No table is held while another one is waited for.
    atomic = False

    dependencies = [("messaging", "0018_opt_outs_are_found_by_address")]

    operations = [
        AddLiveField("attempt", "carrier_words", words()),
        AddLiveField("deliveryreceipt", "carrier_words", words()),
        migrations.AlterModelOptions(
            "attempt",
            {"verbose_name": "attempt to send", "verbose_name_plural": "attempts to send"},
        ),
    ]
