"""What the members of an inbox know about a contact, blocked contacts, and consents."""

import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

from inboxes.live_migrations import AddLiveField, AddLiveIndex, CreateLiveModel, add_check


class Migration(migrations.Migration):
    # Agents keep working while the indexes are built.
    atomic = False

    dependencies = [
        ("inboxes", "0019_hours_and_quiet_hours"),
        ("threads", "0014_states_that_hide"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateLiveModel(
            name="Consent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "how",
                    models.CharField(
                        choices=[
                            ("form", "On a web form"),
                            ("paper", "On paper"),
                            ("in_person", "In person"),
                            ("phone", "By phone"),
                            ("text", "By text"),
                            ("import", "From an imported file"),
                            ("other", "Another way"),
                        ],
                        max_length=9,
                    ),
                ),
                (
                    "words",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=255,
                        verbose_name="where, or in what words",
                    ),
                ),
                ("given_at", models.DateTimeField(verbose_name="when")),
                ("recorded_at", models.DateTimeField(auto_now_add=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="ended")),
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="consents",
                        to="threads.contact",
                    ),
                ),
                (
                    "ended_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "how__in",
                                ["form", "paper", "in_person", "phone", "text", "import", "other"],
                            )
                        ),
                        name="consent_was_given_in_a_known_way",
                    )
                ]
            },
        ),
        AddLiveField(
            model_name="contact",
            name="blocked_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        AddLiveField(
            model_name="contact",
            name="blocked_by",
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
            model_name="contact",
            name="company",
            field=models.CharField(blank=True, db_default="", default="", max_length=120),
        ),
        AddLiveField(
            model_name="contact",
            name="email",
            field=models.EmailField(
                blank=True, db_default="", default="", max_length=254, verbose_name="e-mail"
            ),
        ),
        AddLiveField(
            model_name="contact",
            name="is_unused",
            field=models.BooleanField(
                db_default=False,
                default=False,
                editable=False,
                help_text="Whether it has no thread yet: it was imported or added by hand.",
            ),
        ),
        AddLiveField(
            model_name="contact",
            name="reference",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="What the business calls them elsewhere, such as a customer number.",
                max_length=120,
            ),
        ),
        AddLiveField(
            model_name="contact",
            name="time_zone",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="As a member corrected it; empty where it is guessed from the number.",
                max_length=64,
            ),
        ),
        migrations.AlterField(
            model_name="activity",
            name="kind",
            field=models.CharField(
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
                    ("blocked", "Blocked"),
                    ("unblocked", "Unblocked"),
                    ("consent", "Consent recorded"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="thread",
            name="status",
            field=models.CharField(
                choices=[
                    ("open", "Open"),
                    ("done", "Done"),
                    ("snoozed", "Snoozed"),
                    ("blocked", "Blocked"),
                ],
                db_default="open",
                default="open",
                editable=False,
                help_text="Of the team's work on it; it hides nothing.",
                max_length=7,
            ),
        ),
        AddLiveIndex(
            model_name="contact",
            index=models.Index(
                models.F("inbox"),
                django.db.models.functions.text.Lower("name"),
                models.F("id"),
                condition=models.Q(("name", ""), _negated=True),
                name="contact_name_list",
            ),
        ),
        AddLiveIndex(
            model_name="contact",
            index=models.Index(
                condition=models.Q(("is_unused", True)),
                fields=["inbox", "-id"],
                name="contact_unused_list",
            ),
        ),
        AddLiveIndex(
            model_name="contact",
            index=models.Index(
                condition=models.Q(("blocked_at", None), _negated=True),
                fields=["inbox", "-blocked_at"],
                name="contact_blocked_list",
            ),
        ),
        AddLiveIndex(
            model_name="thread",
            index=models.Index(
                models.F("inbox"),
                models.OrderBy(models.F("last_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("status", "blocked"), _negated=True),
                name="thread_all_list",
            ),
        ),
        AddLiveIndex(
            model_name="thread",
            index=models.Index(
                models.F("inbox"),
                models.OrderBy(models.F("last_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("status", "blocked")),
                name="thread_blocked_list",
            ),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveConstraint(
                    model_name="activity",
                    name="activity_kind_is_known",
                ),
                migrations.AddConstraint(
                    model_name="activity",
                    constraint=models.CheckConstraint(
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
                                    "blocked",
                                    "unblocked",
                                    "consent",
                                ],
                            )
                        ),
                        name="activity_kind_is_known",
                    ),
                ),
            ],
            database_operations=add_check(
                "threads_activity",
                "activity_kind_is_known",
                "kind IN ('assigned', 'unassigned', 'done', 'reopened', 'snoozed', 'unsnoozed', 'labelled',"
                " 'unlabelled', 'priority', 'waiting', 'blocked', 'unblocked', 'consent')",
                "kind IN ('assigned', 'unassigned', 'done', 'reopened', 'snoozed', 'unsnoozed', 'labelled',"
                " 'unlabelled', 'priority', 'waiting')",
            ),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveConstraint(
                    model_name="thread",
                    name="thread_is_snoozed_until_a_time",
                ),
                migrations.AddConstraint(
                    model_name="thread",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("snoozed_until__isnull", False), ("status", "snoozed")),
                            models.Q(
                                ("snoozed_by", None),
                                ("snoozed_until", None),
                                ("status__in", ["open", "done", "blocked"]),
                            ),
                            _connector="OR",
                        ),
                        name="thread_is_snoozed_until_a_time",
                    ),
                ),
            ],
            database_operations=add_check(
                "threads_thread",
                "thread_is_snoozed_until_a_time",
                "(status = 'snoozed' AND snoozed_until IS NOT NULL) OR (status IN ('open', 'done', 'blocked')"
                " AND snoozed_until IS NULL AND snoozed_by_id IS NULL)",
                "(status = 'snoozed' AND snoozed_until IS NOT NULL) OR (status IN ('open', 'done')"
                " AND snoozed_until IS NULL AND snoozed_by_id IS NULL)",
            ),
        ),
    ]
