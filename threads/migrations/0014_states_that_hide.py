"""The states that hide a thread are found without reading all states of it."""

from django.db import migrations, models

from inboxes.live_migrations import AddLiveIndex


class Migration(migrations.Migration):
    # Agents keep working while the index is built.
    atomic = False

    dependencies = [("threads", "0013_snoozed_until_a_time")]

    operations = [
        AddLiveIndex(
            model_name="threadstate",
            index=models.Index(
                condition=models.Q(("hidden_id__gt", 0)),
                fields=["thread", "agent", "hidden_id"],
                name="state_hidings",
            ),
        ),
    ]
