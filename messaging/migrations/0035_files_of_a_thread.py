"""The pictures and files of a conversation are found by one index, the newest first."""

from django.db import migrations, models

from inboxes.live_migrations import AddLiveIndex


class Migration(migrations.Migration):
    # Texts keep coming in while the index is built.
    atomic = False

    dependencies = [("messaging", "0034_files_of_scheduled_texts")]

    operations = [
        AddLiveIndex(
            model_name="attachment",
            index=models.Index(
                condition=models.Q(("state", "ready"), models.Q(("message", None), _negated=True)),
                fields=["thread", "-id"],
                name="attachment_of_thread",
            ),
        ),
    ]
