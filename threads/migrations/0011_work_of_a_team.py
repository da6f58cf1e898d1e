"""The state of the team's work on a thread, labels, and the activity of a conversation.

New columns are empty or have a constant default, so no row is rewritten.
"""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

from inboxes.live_migrations import AddLiveField, CreateLiveModel


class Migration(migrations.Migration):
    # No table is held while another one is waited for.
    atomic = False

    dependencies = [
        ("inboxes", "0018_work_of_a_team"),
        ("threads", "0010_group_texts"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateLiveModel(
            name="Activity",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("assigned", "Assigned"),
                            ("unassigned", "Unassigned"),
                            ("done", "Done"),
                            ("reopened", "Reopened"),
                            ("snoozed", "Snoozed"),
                            ("unsnoozed", "Snooze ended"),
                            ("labelled", "Label added"),
                            ("unlabelled", "Label removed"),
                            ("priority", "Priority"),
                            ("waiting", "Waiting for a reply"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "details",
                    models.JSONField(
                        blank=True,
                        db_default=models.Value({}, models.JSONField()),
                        default=dict,
                        help_text="To whom, until when, which label: what the line says besides who did it.",
                    ),
                ),
                (
                    "after_id",
                    models.BigIntegerField(
                        default=0,
                        help_text="The thread's newest message at that moment; 0 if it had none.",
                    ),
                ),
                (
                    "words",
                    django.contrib.postgres.search.SearchVectorField(
                        editable=False,
                        help_text="Of the line, as threads/words.py folds them.",
                        null=True,
                    ),
                ),
                (
                    "seq",
                    models.BigIntegerField(
                        help_text="The inbox's counter at this row's last change."
                    ),
                ),
                ("created_at", models.DateTimeField()),
                (
                    "actor",
                    models.ForeignKey(
                        db_index=False,
                        help_text="Who did it; empty for Partyline.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "inbox",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="inboxes.inbox",
                    ),
                ),
                (
                    "thread",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="threads.thread",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["thread", "after_id", "id"], name="activity_history"),
                    models.Index(fields=["inbox", "seq"], name="activity_changes"),
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["words"], name="activity_words"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                [
                                    "assigned",
                                    "unassigned",
                                    "done",
                                    "reopened",
                                    "snoozed",
                                    "unsnoozed",
                                    "labelled",
                                    "unlabelled",
                                    "priority",
                                    "waiting",
                                ],
                            )
                        ),
                        name="activity_kind_is_known",
                    ),
                ],
                "verbose_name_plural": "activity",
            },
        ),
        CreateLiveModel(
            name="Label",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=40)),
                (
                    "colour",
                    models.CharField(
                        choices=[
                            ("violet", "Violet"),
                            ("blue", "Blue"),
                            ("pink", "Pink"),
                            ("green", "Green"),
                        ],
                        default="blue",
                        max_length=6,
                    ),
                ),
                (
                    "seq",
                    models.BigIntegerField(
                        default=0,
                        editable=False,
                        help_text="The inbox's counter at the last change.",
                    ),
                ),
                ("deleted_at", models.DateTimeField(editable=False, null=True)),
                (
                    "inbox",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="labels",
                        to="inboxes.inbox",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["inbox", "seq"], name="label_changes"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True), name="label_has_a_name"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("colour__in", ["violet", "blue", "pink", "green"])),
                        name="label_colour_is_known",
                    ),
                    models.UniqueConstraint(
                        models.F("inbox"),
                        django.db.models.functions.text.Lower("name"),
                        condition=models.Q(("deleted_at", None)),
                        name="label_name_is_unique_in_its_inbox",
                    ),
                ],
            },
        ),
        CreateLiveModel(
            name="ThreadLabel",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("last_at", models.DateTimeField(null=True)),
                (
                    "label",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="threads.label",
                    ),
                ),
                (
                    "thread",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="threads.thread",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("label"),
                        models.OrderBy(models.F("last_at"), descending=True),
                        models.OrderBy(models.F("thread"), descending=True),
                        name="label_thread_list",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("thread", "label"), name="label_is_put_on_once"
                    ),
                ],
            },
        ),
        AddLiveField(
            model_name="thread",
            name="assignee",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                help_text="The member of the inbox whose it is.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        AddLiveField(
            model_name="thread",
            name="label_ids",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(),
                db_default=models.Value(
                    [],
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), size=None
                    ),
                ),
                default=list,
                editable=False,
                help_text="Its labels, in the order of their keys; ThreadLabel has the same for lists.",
                size=None,
            ),
        ),
        AddLiveField(
            model_name="thread",
            name="scheduled_count",
            field=models.IntegerField(
                db_default=0,
                default=0,
                editable=False,
                help_text="Scheduled texts that have not gone: they wait, or were held back.",
            ),
        ),
        AddLiveField(
            model_name="thread",
            name="snoozed_by",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        AddLiveField(
            model_name="thread",
            name="snoozed_until",
            field=models.DateTimeField(editable=False, null=True),
        ),
        AddLiveField(
            model_name="thread",
            name="status",
            field=models.CharField(
                choices=[("open", "Open"), ("done", "Done"), ("snoozed", "Snoozed")],
                db_default="open",
                default="open",
                editable=False,
                help_text="Of the team's work on it; it hides nothing.",
                max_length=7,
            ),
        ),
        AddLiveField(
            model_name="thread",
            name="waiting_since",
            field=models.DateTimeField(
                editable=False,
                help_text="When the first text came in that needs a reply.",
                null=True,
            ),
        ),
        AddLiveField(
            model_name="thread",
            name="was_alerted",
            field=models.BooleanField(
                db_default=False,
                default=False,
                editable=False,
                help_text="Whether its members were told that it has waited for too long.",
            ),
        ),
    ]
