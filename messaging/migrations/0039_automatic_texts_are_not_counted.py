"""Texts that Partyline sends by itself are no longer counted as unread; no table changes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0038_opt_outs_for_all_are_found")]

    operations = [
        migrations.AlterField(
            model_name="message",
            name="position",
            field=models.IntegerField(
                db_default=0,
                default=0,
                editable=False,
                help_text=(
                    "Its place in the thread, from 1; an automatic text has that of the one before."
                ),
            ),
        ),
    ]
