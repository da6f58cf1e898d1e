from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    # Texts keep coming in while the indexes are built.
    atomic = False

    dependencies = [("threads", "0004_words_are_indexed")]

    operations = [
        AddIndexConcurrently(
            "thread",
            models.Index(
                "inbox",
                "priority",
                F("last_at").desc(),
                F("id").desc(),
                condition=~Q(priority=""),
                name="thread_priority_list",
            ),
        ),
        AddIndexConcurrently(
            "thread",
            models.Index(
                "inbox",
                F("last_at").desc(),
                F("id").desc(),
                condition=Q(needs_reply=True),
                name="thread_reply_list",
            ),
        ),
    ]
