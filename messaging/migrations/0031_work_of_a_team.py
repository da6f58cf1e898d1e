"""Tapbacks, actions on many threads, notifications of work, undo send, files of scheduled texts.

New columns are empty or have a constant default, so no row is rewritten.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from inboxes.live_migrations import AddLiveField, CreateLiveModel


class Migration(migrations.Migration):
    # No table is held while another one is waited for.
    atomic = False

    dependencies = [
        ("inboxes", "0018_work_of_a_team"),
        ("messaging", "0030_first_start_is_over"),
        ("threads", "0013_snoozed_until_a_time"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateLiveModel(
            name="BulkAction",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("deed", models.CharField(max_length=12)),
                (
                    "details",
                    models.JSONField(
                        blank=True,
                        db_default=models.Value({}, models.JSONField()),
                        default=dict,
                        help_text="To whom, until when, which label, which threads: what the deed needs.",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("running", "Running"),
                            ("finished", "Finished"),
                            ("undoing", "Undoing"),
                            ("undone", "Undone"),
                            ("stopped", "Stopped"),
                        ],
                        default="running",
                        max_length=8,
                    ),
                ),
                ("total", models.IntegerField(default=0, help_text="Threads that were selected.")),
                (
                    "done_count",
                    models.IntegerField(default=0, help_text="Threads that it has come to."),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("undone_at", models.DateTimeField(null=True)),
                (
                    "agent",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "inbox",
                    models.ForeignKey(
                        db_index=False,
                        help_text="Empty for threads of all the agent's inboxes.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="inboxes.inbox",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["created_at"], name="bulk_action_age"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["running", "finished", "undoing", "undone", "stopped"])
                        ),
                        name="bulk_action_state_is_known",
                    ),
                ],
            },
        ),
        CreateLiveModel(
            name="BulkItem",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "before",
                    models.JSONField(
                        db_default=models.Value({}, models.JSONField()), default=dict
                    ),
                ),
                (
                    "after",
                    models.JSONField(
                        db_default=models.Value({}, models.JSONField()), default=dict
                    ),
                ),
                (
                    "bulk",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="items",
                        to="messaging.bulkaction",
                    ),
                ),
                (
                    "thread",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="threads.thread",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("bulk", "thread"), name="bulk_item_is_one_thread"
                    ),
                ],
            },
        ),
        AddLiveField(
            model_name="attachment",
            name="scheduled_text",
            field=models.ForeignKey(
                db_index=False,
                help_text="The text that it goes out with.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="attachments",
                to="messaging.scheduledtext",
            ),
        ),
        AddLiveField(
            model_name="message",
            name="is_reaction_removed",
            field=models.BooleanField(
                db_default=False,
                default=False,
                editable=False,
                help_text="Whether the tapback takes an earlier one back.",
            ),
        ),
        AddLiveField(
            model_name="message",
            name="reaction",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                help_text="The sign of a tapback, which is a text such as: Liked “See you”.",
                max_length=32,
            ),
        ),
        AddLiveField(
            model_name="message",
            name="reaction_to",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                editable=False,
                help_text="The message that it quotes, if that was found.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="reactions",
                to="messaging.message",
            ),
        ),
        AddLiveField(
            model_name="notification",
            name="activity",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="threads.activity",
            ),
        ),
        AddLiveField(
            model_name="scheduledtext",
            name="is_undoable",
            field=models.BooleanField(
                db_default=False,
                default=False,
                editable=False,
                help_text="Sent already as its author sees it, and held for the seconds of “Undo send”.",
            ),
        ),
        AddLiveField(
            model_name="scheduledtext",
            name="marks_done",
            field=models.BooleanField(
                db_default=False,
                default=False,
                editable=False,
                help_text="To mark the conversation as done when it goes.",
            ),
        ),
        migrations.AlterField(
            model_name="notification",
            name="reason",
            field=models.CharField(
                choices=[
                    ("mention", "Mention"),
                    ("inbound", "Text in"),
                    ("outbound", "Text out"),
                    ("internal", "Internal message"),
                    ("failed", "Failed"),
                    ("unknown", "Unknown"),
                    ("assigned", "Assigned"),
                    ("snoozed", "Snooze ended"),
                    ("waiting", "Waiting for a reply"),
                ],
                max_length=8,
            ),
        ),
        migrations.AlterField(
            model_name="notificationpreference",
            name="level",
            field=models.CharField(
                choices=[
                    ("everything", "Everything"),
                    ("inbound", "Inbound and mentions"),
                    ("mine", "Mine and mentions"),
                    ("mentions", "Mentions only"),
                ],
                default="everything",
                max_length=10,
            ),
        ),
    ]
