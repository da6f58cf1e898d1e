"""One index for each view of a list. *Needs reply* now leaves out what is done or snoozed."""

from django.contrib.postgres.operations import RemoveIndexConcurrently
from django.db import migrations, models

from inboxes.live_migrations import AddLiveIndex


class Migration(migrations.Migration):
    # Texts keep coming in while the indexes are built.
    atomic = False

    dependencies = [("threads", "0011_work_of_a_team")]

    operations = [
        AddLiveIndex(
            model_name="thread",
            index=models.Index(
                models.F("inbox"),
                models.OrderBy(models.F("last_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("needs_reply", True), ("status", "open")),
                name="thread_wanting_list",
            ),
        ),
        AddLiveIndex(
            model_name="thread",
            index=models.Index(
                models.F("inbox"),
                models.OrderBy(models.F("last_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("status", "open")),
                name="thread_open_list",
            ),
        ),
        AddLiveIndex(
            model_name="thread",
            index=models.Index(
                models.F("inbox"),
                models.F("assignee"),
                models.OrderBy(models.F("last_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("status", "open")),
                name="thread_assignee_list",
            ),
        ),
        AddLiveIndex(
            model_name="thread",
            index=models.Index(
                models.F("inbox"),
                models.OrderBy(models.F("last_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("status", "done")),
                name="thread_done_list",
            ),
        ),
        AddLiveIndex(
            model_name="thread",
            index=models.Index(
                models.F("inbox"),
                models.OrderBy(models.F("last_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("status", "snoozed")),
                name="thread_snoozed_list",
            ),
        ),
        AddLiveIndex(
            model_name="thread",
            index=models.Index(
                models.F("inbox"),
                models.OrderBy(models.F("last_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("scheduled_count__gt", 0)),
                name="thread_scheduled_list",
            ),
        ),
        AddLiveIndex(
            model_name="thread",
            index=models.Index(
                condition=models.Q(("status", "snoozed")),
                fields=["snoozed_until"],
                name="thread_snooze_ends",
            ),
        ),
        AddLiveIndex(
            model_name="thread",
            index=models.Index(
                condition=models.Q(
                    ("status", "open"), ("needs_reply", True), ("was_alerted", False)
                ),
                fields=["inbox", "waiting_since"],
                name="thread_waits",
            ),
        ),
        AddLiveIndex(
            model_name="thread",
            index=models.Index(
                condition=models.Q(("assignee", None), _negated=True),
                fields=["assignee", "inbox"],
                name="thread_of_assignee",
            ),
        ),
        RemoveIndexConcurrently(
            model_name="thread",
            name="thread_reply_list",
        ),
    ]
