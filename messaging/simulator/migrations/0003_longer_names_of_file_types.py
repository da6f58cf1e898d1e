"""Office documents have types of more than 64 letters."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("simulator", "0002_files")]

    operations = [
        migrations.AlterField("file", "content_type", models.CharField(max_length=128)),
    ]
