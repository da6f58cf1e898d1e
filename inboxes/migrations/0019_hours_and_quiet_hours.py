"""Hours, automatic answers and quiet hours of an inbox; all of them are off."""

import django.db.models.deletion
from django.db import migrations, models

from inboxes.live_migrations import AddLiveField, CreateLiveModel


class Migration(migrations.Migration):
    # No table is held while another one is waited for.
    atomic = False

    dependencies = [
        ("inboxes", "0018_work_of_a_team"),
    ]

    operations = [
        AddLiveField(
            model_name="inbox",
            name="answers_when_closed",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Once in each closed period, to a contact who writes.",
                verbose_name="answer when closed",
            ),
        ),
        AddLiveField(
            model_name="inbox",
            name="closed_text",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                max_length=640,
                verbose_name="answer when closed",
            ),
        ),
        AddLiveField(
            model_name="inbox",
            name="greeting_text",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=640, verbose_name="greeting"
            ),
        ),
        AddLiveField(
            model_name="inbox",
            name="greets",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Once, to a contact who writes for the first time ever.",
                verbose_name="greet new contacts",
            ),
        ),
        AddLiveField(
            model_name="inbox",
            name="has_quiet_hours",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Ask before a text goes to a contact outside 8 to 21 of their own time.",
                verbose_name="quiet hours",
            ),
        ),
        AddLiveField(
            model_name="inbox",
            name="holiday_region",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="A country such as US, or a part of it such as US-CA.",
                max_length=16,
                verbose_name="closed on holidays of",
            ),
        ),
        AddLiveField(
            model_name="inbox",
            name="members_export_contacts",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Administrators always may.",
                verbose_name="members may export contacts",
            ),
        ),
        AddLiveField(
            model_name="inbox",
            name="time_zone",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="In which its hours are meant.",
                max_length=64,
            ),
        ),
        AddLiveField(
            model_name="inbox",
            name="weekly_hours",
            field=models.JSONField(
                blank=True,
                db_default=models.Value([], models.JSONField()),
                default=list,
                help_text="For each day from Monday on, when it is open: pairs such as 08:30, 17:00. Empty where it has no hours.",
            ),
        ),
        CreateLiveModel(
            name="ClosedDay",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("date", models.DateField()),
                ("name", models.CharField(blank=True, db_default="", default="", max_length=80)),
                (
                    "inbox",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="closed_days",
                        to="inboxes.inbox",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("inbox", "date"), name="inbox_is_closed_once_a_day"
                    )
                ],
            },
        ),
    ]
