"""What an inbound text was understood as. The default is constant: no row is rewritten."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0013_longer_names_of_file_types")]

    operations = [
        migrations.AddField(
            model_name="message",
            name="keyword",
            field=models.CharField(
                max_length=7,
                choices=[("opt_out", "Opt-out"), ("opt_in", "Opt-in"), ("help", "Help")],
                blank=True,
                default="",
                db_default="",
                editable=False,
                help_text="What an inbound text was understood as, by us or by the carrier.",
            ),
        ),
    ]
