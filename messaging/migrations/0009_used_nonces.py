"""A new table, empty."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0008_rates_and_later")]

    operations = [
        migrations.CreateModel(
            name="UsedNonce",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("nonce", models.CharField(max_length=128)),
                ("digest", models.CharField(max_length=64, help_text="SHA-256 of the body.")),
                ("used_at", models.DateTimeField(auto_now_add=True)),
                (
                    "account",
                    models.ForeignKey(
                        to="messaging.carrieraccount",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        db_index=False,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "nonce"), name="nonce_is_used_once_in_an_account"
                    )
                ],
            },
        ),
    ]
