"""A handset finds what it sent, too."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("simulator", "0003_longer_names_of_file_types")]

    operations = [
        migrations.AddIndex(
            "text", models.Index(fields=["sender", "-id"], name="handset_sent_texts")
        ),
    ]
