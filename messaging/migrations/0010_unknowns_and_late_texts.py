"""Look-ups of unknown texts, texts that were found afterwards, self-tests and rejections.

New columns are empty or have a constant default: no row is rewritten.
"""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0009_used_nonces")]

    operations = [
        migrations.AddField(
            model_name="message",
            name="after_id",
            field=models.BigIntegerField(
                null=True,
                editable=False,
                help_text=(
                    "For a text that was found afterwards: the message of its thread behind "
                    "which it belongs by the carrier's clock; 0 for before all."
                ),
            ),
        ),
        migrations.AddField(
            model_name="attempt",
            name="look_ups",
            field=models.PositiveSmallIntegerField(
                default=0,
                db_default=0,
                help_text="How often the carrier was asked what became of it.",
            ),
        ),
        migrations.AddField(
            model_name="attempt",
            name="look_up_at",
            field=models.DateTimeField(null=True, help_text="Not to be asked for again before."),
        ),
        migrations.AddField(
            model_name="deliveryreceipt",
            name="recipient",
            field=models.CharField(
                max_length=64,
                blank=True,
                default="",
                db_default="",
                help_text="Whose phone it is about, where the carrier reports for each one.",
            ),
        ),
        migrations.AddField(
            model_name="carrieraccount",
            name="self_tested_at",
            field=models.DateTimeField(null=True, editable=False),
        ),
        migrations.AddField(
            model_name="carrieraccount",
            name="self_test",
            field=models.JSONField(
                default=list,
                db_default=models.Value([], models.JSONField()),
                editable=False,
                help_text="What the last self-test found, as messaging/accounts/self_test.py writes it.",
            ),
        ),
        migrations.CreateModel(
            name="Rejection",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("reason", models.CharField(max_length=255)),
                ("count", models.PositiveBigIntegerField(default=0)),
                ("first_at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        to="messaging.carrieraccount",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rejections",
                        db_index=False,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=["account", "reason"], name="rejections_are_counted_by_reason"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Comparison",
            fields=[
                (
                    "number",
                    models.OneToOneField(
                        to="messaging.number",
                        primary_key=True,
                        serialize=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="comparison",
                    ),
                ),
                ("tried_at", models.DateTimeField()),
                ("upto", models.DateTimeField(null=True, help_text="What came before is here.")),
                (
                    "found_count",
                    models.PositiveIntegerField(
                        default=0, help_text="Texts that no webhook had brought."
                    ),
                ),
                (
                    "trouble",
                    models.CharField(
                        max_length=255,
                        blank=True,
                        default="",
                        help_text="Why the last try told us nothing.",
                    ),
                ),
            ],
        ),
    ]
