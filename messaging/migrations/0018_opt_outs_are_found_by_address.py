"""The index by which a contact's opt-outs are found, built while everybody goes on writing."""

from __future__ import annotations

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("messaging", "0017_opt_outs_keep_who_and_why")]

    operations = [
        AddIndexConcurrently("optout", models.Index(fields=["address"], name="opt_out_address"))
    ]
