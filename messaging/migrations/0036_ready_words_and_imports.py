"""Saved replies, imports of contacts, and who got an automatic answer."""

import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

from inboxes.live_migrations import CreateLiveModel


class Migration(migrations.Migration):
    # No table is held while another one is waited for.
    atomic = False
    dependencies = [
        ("inboxes", "0019_hours_and_quiet_hours"),
        ("messaging", "0035_files_of_a_thread"),
        ("threads", "0015_people_one_knows"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="optout",
            name="ended_how",
            field=models.CharField(
                blank=True,
                choices=[
                    ("keyword", "They texted it"),
                    ("carrier", "The carrier refused a text because of it"),
                    ("member", "A member of the inbox recorded it"),
                    ("administrator", "An administrator recorded it"),
                    ("import", "An imported file said so"),
                ],
                db_default="",
                default="",
                max_length=13,
                verbose_name="how it ended",
            ),
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
                    ("import", "An imported file said so"),
                ],
                max_length=13,
                verbose_name="how",
            ),
        ),
        CreateLiveModel(
            name="ContactImport",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("uploaded", "Columns to be chosen"),
                            ("reading", "Being read"),
                            ("ready", "To be looked at"),
                            ("importing", "Being imported"),
                            ("cancelling", "Being taken back"),
                            ("finished", "Imported"),
                            ("cancelled", "Cancelled"),
                            ("failed", "Failed"),
                        ],
                        default="uploaded",
                        max_length=10,
                    ),
                ),
                ("reason", models.CharField(blank=True, default="", max_length=255)),
                (
                    "file_name",
                    models.CharField(help_text="Shown, and nothing else.", max_length=120),
                ),
                (
                    "stored_name",
                    models.CharField(blank=True, default="", editable=False, max_length=120),
                ),
                ("size", models.PositiveBigIntegerField(default=0, help_text="Bytes.")),
                ("sha256", models.CharField(blank=True, default="", max_length=64)),
                ("encoding", models.CharField(blank=True, default="", max_length=32)),
                ("separator", models.CharField(blank=True, default="", max_length=1)),
                (
                    "headers",
                    models.JSONField(
                        db_default=models.Value([], models.JSONField()),
                        default=list,
                        help_text="The columns' names.",
                    ),
                ),
                (
                    "mapping",
                    models.JSONField(
                        db_default=models.Value({}, models.JSONField()),
                        default=dict,
                        help_text="The number of the column, from 0, by the name of the field.",
                    ),
                ),
                ("region", models.CharField(blank=True, default="", max_length=2)),
                ("line_count", models.IntegerField(default=0)),
                ("new_count", models.IntegerField(default=0)),
                ("merged_count", models.IntegerField(default=0)),
                ("same_count", models.IntegerField(default=0)),
                ("opt_out_count", models.IntegerField(default=0)),
                ("error_count", models.IntegerField(default=0)),
                (
                    "done_count",
                    models.IntegerField(default=0, help_text="Lines that the job has come to."),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("finished_at", models.DateTimeField(null=True)),
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
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="inboxes.inbox",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["created_at"], name="contact_import_age")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "uploaded",
                                    "reading",
                                    "ready",
                                    "importing",
                                    "cancelling",
                                    "finished",
                                    "cancelled",
                                    "failed",
                                ],
                            )
                        ),
                        name="contact_import_state_is_known",
                    )
                ],
            },
        ),
        CreateLiveModel(
            name="ContactImportLine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("line", models.IntegerField(help_text="Its number in the file, from 1.")),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("new", "New"),
                            ("merge", "Merges"),
                            ("same", "Changes nothing"),
                            ("error", "Left out"),
                        ],
                        max_length=5,
                    ),
                ),
                ("address", models.CharField(blank=True, default="", max_length=64)),
                (
                    "values",
                    models.JSONField(
                        db_default=models.Value({}, models.JSONField()), default=dict
                    ),
                ),
                ("is_opt_out", models.BooleanField(db_default=False, default=False)),
                (
                    "column",
                    models.CharField(blank=True, db_default="", default="", max_length=120),
                ),
                ("error", models.CharField(blank=True, db_default="", default="", max_length=255)),
                (
                    "before",
                    models.JSONField(
                        help_text="What the contact was, once it was imported.", null=True
                    ),
                ),
                (
                    "contact_import",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lines",
                        to="messaging.contactimport",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("outcome", "error")),
                        fields=["contact_import", "line"],
                        name="import_line_errors",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("contact_import", "line"), name="line_is_imported_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("outcome__in", ["new", "merge", "same", "error"])),
                        name="import_line_outcome_is_known",
                    ),
                ],
            },
        ),
        CreateLiveModel(
            name="SavedReply",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        help_text="What is typed after the slash: one word, such as arrival-window.",
                        max_length=40,
                    ),
                ),
                ("body", models.TextField()),
                (
                    "use_count",
                    models.PositiveIntegerField(db_default=0, default=0, editable=False),
                ),
                ("used_at", models.DateTimeField(editable=False, null=True)),
                ("changed_at", models.DateTimeField(auto_now=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "agent",
                    models.ForeignKey(
                        blank=True,
                        help_text="Whose own it is; empty for one of an inbox.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "changed_by",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "inbox",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="inboxes.inbox",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("agent__isnull", False), ("inbox", None)),
                            models.Q(("agent", None), ("inbox__isnull", False)),
                            _connector="OR",
                        ),
                        name="saved_reply_is_an_inboxs_or_an_agents",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True),
                        name="saved_reply_has_a_name",
                    ),
                    models.UniqueConstraint(
                        models.F("inbox"),
                        django.db.models.functions.text.Lower("name"),
                        condition=models.Q(("inbox", None), _negated=True),
                        name="saved_reply_name_is_unique_in_an_inbox",
                    ),
                    models.UniqueConstraint(
                        models.F("agent"),
                        django.db.models.functions.text.Lower("name"),
                        condition=models.Q(("agent", None), _negated=True),
                        name="saved_reply_name_is_unique_for_an_agent",
                    ),
                ],
                "verbose_name_plural": "saved replies",
            },
        ),
        CreateLiveModel(
            name="SavedReplyFile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=7)),
                ("name", models.CharField(blank=True, default="", max_length=120)),
                ("content_type", models.CharField(blank=True, default="", max_length=128)),
                ("size", models.PositiveBigIntegerField(default=0, help_text="Bytes.")),
                ("width", models.PositiveIntegerField(null=True)),
                ("height", models.PositiveIntegerField(null=True)),
                ("is_animated", models.BooleanField(default=False)),
                ("sha256", models.CharField(blank=True, default="", max_length=64)),
                ("stored_name", models.CharField(editable=False, max_length=120, unique=True)),
                (
                    "thumbnail_name",
                    models.CharField(blank=True, default="", editable=False, max_length=120),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "reply",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="files",
                        to="messaging.savedreply",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["picture", "file"])),
                        name="saved_reply_file_kind_is_known",
                    )
                ],
            },
        ),
        CreateLiveModel(
            name="AutomaticAnswer",
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
                        choices=[("closed", "While closed"), ("greeting", "Greeting")],
                        max_length=8,
                    ),
                ),
                (
                    "period_start",
                    models.DateTimeField(
                        help_text="When the inbox closed; for a greeting the epoch, since there is one for ever."
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "message",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="messaging.message",
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
                "constraints": [
                    models.UniqueConstraint(
                        fields=("thread", "kind", "period_start"),
                        name="contact_is_answered_once_in_a_period",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["closed", "greeting"])),
                        name="automatic_answer_kind_is_known",
                    ),
                ],
            },
        ),
    ]
