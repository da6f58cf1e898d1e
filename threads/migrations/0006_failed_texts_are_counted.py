"""Counts of failed and unknown texts. What failed before counts as seen: all are 0."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("threads", "0005_lists_by_choice")]

    operations = [
        migrations.AddField(
            model_name="thread",
            name="failed_count",
            field=models.IntegerField(
                db_default=0,
                default=0,
                editable=False,
                help_text="Texts of a thread, or threads of an inbox, that failed and nobody has seen.",
            ),
        ),
        migrations.AddField(
            model_name="thread",
            name="unknown_count",
            field=models.IntegerField(
                db_default=0,
                default=0,
                editable=False,
                help_text="The same of unknown ones; a thread with a failed text counts as failed alone.",
            ),
        ),
    ]
