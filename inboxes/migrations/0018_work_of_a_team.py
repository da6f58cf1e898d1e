"""Choices of an inbox about its work, the view that an agent saw last, and undo send."""

from django.db import migrations, models

from inboxes.live_migrations import AddLiveField


class Migration(migrations.Migration):
    # No table is held while another one is waited for.
    atomic = False

    dependencies = [
        ("inboxes", "0017_wrong_codes_are_told"),
    ]

    operations = [
        AddLiveField(
            model_name="agent",
            name="top_view",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                help_text="The view over all inboxes that they chose last, as a query string.",
                max_length=200,
            ),
        ),
        AddLiveField(
            model_name="agent",
            name="undo_seconds",
            field=models.PositiveSmallIntegerField(
                choices=[(0, "Off"), (5, "5 seconds"), (10, "10 seconds")],
                db_default=0,
                default=0,
                editable=False,
                help_text="How long their texts can be taken back before they leave.",
                verbose_name="undo send",
            ),
        ),
        AddLiveField(
            model_name="inbox",
            name="alert_after_minutes",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Notify when a text has waited this long for a reply. Leave empty for never.",
                null=True,
                verbose_name="alert after minutes",
            ),
        ),
        AddLiveField(
            model_name="inbox",
            name="assigns_first_answerer",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="A conversation that is nobody's becomes that of the first who answers it.",
                verbose_name="assign to whoever answers first",
            ),
        ),
        AddLiveField(
            model_name="inbox",
            name="unassigned_notifies",
            field=models.BooleanField(
                db_default=True,
                default=True,
                help_text="Whether they notify members who chose “Mine and mentions”.",
                verbose_name="unassigned conversations notify",
            ),
        ),
        AddLiveField(
            model_name="membership",
            name="view",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                help_text="The view of the inbox that the agent chose last, as a query string.",
                max_length=200,
            ),
        ),
    ]
