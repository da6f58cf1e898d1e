"""The list of all threads leaves out those of blocked contacts, by an index of its own."""

from django.contrib.postgres.operations import RemoveIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    # Agents keep working meanwhile.
    atomic = False

    dependencies = [
        ("threads", "0016_contacts_words_hold_details"),
    ]

    operations = [
        RemoveIndexConcurrently(
            model_name="thread",
            name="thread_list",
        ),
    ]
