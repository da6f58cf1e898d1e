"""How fast numbers send, how long texts wait, and texts that go later. New columns are empty: no
row is rewritten."""

from __future__ import annotations

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0007_attachments"),
        ("threads", "0005_lists_by_choice"),
        ("inboxes", "0004_run_the_inbox"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="message",
            name="wanted_at",
            field=models.DateTimeField(
                null=True, help_text="Since when it is wanted out, if not since it was written."
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="expected_at",
            field=models.DateTimeField(
                null=True,
                help_text="About when its number has a turn for it, while it waits for one.",
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="turn_at",
            field=models.DateTimeField(null=True, help_text="When its number gave it a turn."),
        ),
        migrations.AddField(
            model_name="number",
            name="segments_per_second",
            field=models.FloatField(
                null=True,
                blank=True,
                validators=[
                    django.core.validators.MinValueValidator(0.01),
                    django.core.validators.MaxValueValidator(1000),
                ],
                help_text=(
                    "How fast texts may leave. Empty: what the carrier gives a long code, "
                    "which is mostly 1."
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="number",
            constraint=models.CheckConstraint(
                condition=Q(segments_per_second=None) | Q(segments_per_second__gt=0),
                name="number_sends_at_some_rate",
            ),
        ),
        migrations.CreateModel(
            name="Pace",
            fields=[
                (
                    "number",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="pace",
                        serialize=False,
                        to="messaging.number",
                    ),
                ),
                (
                    "free_at",
                    models.DateTimeField(help_text="The next text may go from then on."),
                ),
                (
                    "turn",
                    models.BigIntegerField(
                        default=0, db_default=0, help_text="Turns given so far."
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ScheduledText",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "thread",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="threads.thread",
                    ),
                ),
                (
                    "inbox",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="inboxes.inbox",
                    ),
                ),
                (
                    "author",
                    models.ForeignKey(
                        help_text="Who saved it last, and answers for it.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("body", models.TextField()),
                ("send_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("held", "Not sent"),
                            ("sent", "Sent"),
                            ("deleted", "Deleted"),
                        ],
                        default="waiting",
                        max_length=7,
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Why it did not go at its hour.",
                        max_length=255,
                    ),
                ),
                (
                    "seen_id",
                    models.BigIntegerField(
                        default=0, help_text="The thread's newest message when it was saved last."
                    ),
                ),
                (
                    "is_regardless",
                    models.BooleanField(
                        default=False, help_text="To go even if the conversation goes on before."
                    ),
                ),
                ("form_key", models.UUIDField(editable=False)),
                (
                    "message",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="messaging.message",
                    ),
                ),
                (
                    "seq",
                    models.BigIntegerField(
                        help_text="The inbox's counter at this row's last change."
                    ),
                ),
                ("changed_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=Q(state="waiting"),
                        fields=["send_at"],
                        name="scheduled_text_due",
                    ),
                    models.Index(
                        condition=Q(state__in=["waiting", "held"]),
                        fields=["thread", "send_at"],
                        name="scheduled_text_list",
                    ),
                    models.Index(fields=["inbox", "seq"], name="scheduled_text_changes"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(state__in=["waiting", "held", "sent", "deleted"]),
                        name="scheduled_text_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=Q(message=None) | Q(state="sent"),
                        name="scheduled_text_with_a_message_is_sent",
                    ),
                    models.UniqueConstraint(
                        fields=["author", "form_key"], name="form_schedules_one_text"
                    ),
                ],
            },
        ),
    ]
