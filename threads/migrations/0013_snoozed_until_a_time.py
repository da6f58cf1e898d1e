"""The database knows that a thread is snoozed until a time, and not otherwise."""

from django.db import migrations, models

from inboxes.live_migrations import add_check


class Migration(migrations.Migration):
    # The rows are read without keeping others from writing.
    atomic = False

    dependencies = [("threads", "0012_lists_of_work")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AddConstraint(
                    model_name="thread",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("snoozed_until__isnull", False), ("status", "snoozed")),
                            models.Q(
                                ("snoozed_by", None),
                                ("snoozed_until", None),
                                ("status__in", ["open", "done"]),
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
                "(status = 'snoozed' AND snoozed_until IS NOT NULL) OR (status IN ('open', 'done')"
                " AND snoozed_until IS NULL AND snoozed_by_id IS NULL)",
            ),
        ),
    ]
