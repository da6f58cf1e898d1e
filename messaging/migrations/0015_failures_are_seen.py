"""Failed and unknown texts count until somebody has seen them.

New columns are empty or have a constant default, so no row is rewritten, and what failed before
counts as seen.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from inboxes.live_migrations import AddLiveField


class Migration(migrations.Migration):
    # No table is held while another one is waited for.
    atomic = False

    dependencies = [
        ("inboxes", "0006_failed_texts_are_counted"),
        ("threads", "0007_list_of_failed_texts"),
        ("messaging", "0014_texts_know_their_keyword"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        AddLiveField(
            model_name="message",
            name="unseen_failure",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                help_text="How it counts among the failures that nobody has seen.",
                max_length=7,
            ),
        ),
        AddLiveField(
            model_name="message",
            name="failure_seen_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        AddLiveField(
            model_name="message",
            name="failure_seen_by",
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
            model_name="scheduledtext",
            name="is_counted",
            field=models.BooleanField(
                db_default=False,
                default=False,
                editable=False,
                help_text="Held, and counted among the failures of its thread.",
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
                ],
                max_length=8,
            ),
        ),
        migrations.AlterField(
            model_name="notification",
            name="seq",
            field=models.BigIntegerField(
                help_text="The inbox's counter when the agent was notified."
            ),
        ),
    ]
