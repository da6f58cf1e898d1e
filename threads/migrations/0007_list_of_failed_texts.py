from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    # Texts keep coming in while the index is built.
    atomic = False

    dependencies = [("threads", "0006_failed_texts_are_counted")]

    operations = [
        AddIndexConcurrently(
            "thread",
            models.Index(
                "inbox",
                F("last_at").desc(),
                F("id").desc(),
                condition=Q(failed_count__gt=0) | Q(unknown_count__gt=0),
                name="thread_failed_list",
            ),
        ),
    ]
