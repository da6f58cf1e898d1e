"""A notification is about a message or an activity, and about one of them."""

import django.db.models.deletion
from django.db import migrations, models

from inboxes.live_migrations import AddLiveIndex, RunLiveSQL, add_check

DROP_UNFINISHED_INDEX = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_index WHERE NOT indisvalid
               AND indexrelid = to_regclass('agent_is_notified_once_of_an_activity')) THEN
        DROP INDEX agent_is_notified_once_of_an_activity;
    END IF;
END $$
"""


class Migration(migrations.Migration):
    # Texts keep coming in while the indexes are built and the rows are read.
    atomic = False

    dependencies = [("messaging", "0031_work_of_a_team")]

    operations = [
        AddLiveIndex(
            model_name="attachment",
            index=models.Index(
                condition=models.Q(("scheduled_text", None), _negated=True),
                fields=["scheduled_text", "id"],
                name="attachment_of_scheduled_text",
            ),
        ),
        AddLiveIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("reaction_to", None), _negated=True),
                fields=["reaction_to", "id"],
                name="message_reactions",
            ),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="notification",
                    name="message",
                    field=models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notifications",
                        to="messaging.message",
                    ),
                ),
            ],
            database_operations=[
                RunLiveSQL(
                    "ALTER TABLE messaging_notification ALTER COLUMN message_id DROP NOT NULL",
                    migrations.RunSQL.noop,
                ),
            ],
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AddConstraint(
                    model_name="notification",
                    constraint=models.UniqueConstraint(
                        condition=models.Q(("activity", None), _negated=True),
                        fields=("activity", "agent"),
                        name="agent_is_notified_once_of_an_activity",
                    ),
                ),
            ],
            database_operations=[
                # A build that was interrupted leaves an index that forbids nothing.
                RunLiveSQL(DROP_UNFINISHED_INDEX, migrations.RunSQL.noop),
                migrations.RunSQL(
                    "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS"
                    " agent_is_notified_once_of_an_activity"
                    " ON messaging_notification (activity_id, agent_id)"
                    " WHERE activity_id IS NOT NULL",
                    "DROP INDEX agent_is_notified_once_of_an_activity",
                ),
            ],
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AddConstraint(
                    model_name="notification",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("activity__isnull", False), ("message", None)),
                            models.Q(("activity", None), ("message__isnull", False)),
                            _connector="OR",
                        ),
                        name="notification_is_about_one_thing",
                    ),
                ),
            ],
            database_operations=add_check(
                "messaging_notification",
                "notification_is_about_one_thing",
                "(message_id IS NULL) <> (activity_id IS NULL)",
            ),
        ),
        # What was scheduled before; counted from here on by the actions.
        RunLiveSQL(
            "UPDATE threads_thread SET scheduled_count = waiting.count"
            " FROM (SELECT thread_id, count(*) AS count FROM messaging_scheduledtext"
            " WHERE state IN ('waiting', 'held') GROUP BY thread_id) AS waiting"
            " WHERE threads_thread.id = waiting.thread_id",
            migrations.RunSQL.noop,
        ),
    ]
