from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    # Texts keep coming in while the indexes are built.
    atomic = False

    dependencies = [("threads", "0003_run_the_inbox")]

    operations = [
        AddIndexConcurrently("contact", GinIndex(fields=["words"], name="contact_words")),
        AddIndexConcurrently("thread", GinIndex(fields=["words"], name="thread_words")),
    ]
