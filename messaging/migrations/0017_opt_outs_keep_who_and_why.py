"""Who recorded and ended an opt-out, why, and by which text; and how widely one counts.

New columns are empty or have a constant default: no row is rewritten.
"""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from inboxes.live_migrations import AddLiveField


class Migration(migrations.Migration):
    # No table is held while another one is waited for.
    atomic = False

    dependencies = [
        ("messaging", "0016_failures_are_of_outbound_texts"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="optout",
            options={"verbose_name": "opt-out"},
        ),
        AddLiveField(
            model_name="optout",
            name="confirmation",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                help_text="The only text that may follow it.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="messaging.message",
            ),
            first="messaging_message",
        ),
        AddLiveField(
            model_name="optout",
            name="end_message",
            field=models.ForeignKey(
                db_index=False,
                help_text="The text that asked for it to end.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="messaging.message",
            ),
            first="messaging_message",
        ),
        AddLiveField(
            model_name="optout",
            name="end_reason",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                max_length=255,
                verbose_name="reason for the end",
            ),
        ),
        AddLiveField(
            model_name="optout",
            name="ended_by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        AddLiveField(
            model_name="optout",
            name="ended_how",
            field=models.CharField(
                blank=True,
                choices=[
                    ("keyword", "They texted it"),
                    ("carrier", "The carrier refused a text because of it"),
                    ("member", "A member of the inbox recorded it"),
                    ("administrator", "An administrator recorded it"),
                ],
                db_default="",
                default="",
                max_length=13,
                verbose_name="how it ended",
            ),
        ),
        AddLiveField(
            model_name="optout",
            name="is_for_all",
            field=models.BooleanField(
                db_default=False, default=False, verbose_name="all our numbers"
            ),
        ),
        AddLiveField(
            model_name="optout",
            name="message",
            field=models.ForeignKey(
                db_index=False,
                help_text="The text that asked for it.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="messaging.message",
            ),
            first="messaging_message",
        ),
        AddLiveField(
            model_name="optout",
            name="reason",
            field=models.CharField(blank=True, db_default="", default="", max_length=255),
        ),
        AddLiveField(
            model_name="optout",
            name="recorded_by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="optout",
            name="address",
            field=models.CharField(max_length=64, verbose_name="their number"),
        ),
        migrations.AlterField(
            model_name="optout",
            name="ended_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="ended"),
        ),
        migrations.AlterField(
            model_name="optout",
            name="our_address",
            field=models.CharField(max_length=32, verbose_name="our number"),
        ),
        migrations.AlterField(
            model_name="optout",
            name="source",
            field=models.CharField(
                choices=[
                    ("keyword", "They texted it"),
                    ("carrier", "The carrier refused a text because of it"),
                    ("member", "A member of the inbox recorded it"),
                    ("administrator", "An administrator recorded it"),
                ],
                max_length=13,
                verbose_name="how",
            ),
        ),
        # The new table comes last: a run before this one cannot have made it.
        migrations.CreateModel(
            name="OptOutSettings",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "is_for_all",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="A person who texts STOP to one of our numbers then gets no texts from any of them, until they text START to one. It counts for opt-outs from now on; each one ends as widely as it was made.",
                        verbose_name="one opt-out counts for all our numbers",
                    ),
                ),
            ],
            options={
                "verbose_name": "opt-out setting",
            },
        ),
        migrations.AddConstraint(
            model_name="optoutsettings",
            constraint=models.CheckConstraint(
                condition=models.Q(("pk", 1)), name="opt_out_settings_are_one_row"
            ),
        ),
    ]
