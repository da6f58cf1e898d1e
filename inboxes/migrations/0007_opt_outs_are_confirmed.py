"""Whether an inbox confirms opt-outs, and in which words. The defaults are constant."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("inboxes", "0006_failed_texts_are_counted"),
    ]

    operations = [
        migrations.AddField(
            model_name="inbox",
            name="confirms_opt_outs",
            field=models.BooleanField(
                db_default=True,
                default=True,
                help_text="One text answers STOP and the like, unless the carrier answers itself.",
                verbose_name="confirm opt-outs",
            ),
        ),
        migrations.AddField(
            model_name="inbox",
            name="opt_out_text",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="The words of that text. It may only confirm, and say how to get texts again. Empty: “You’re unsubscribed and will get no more texts from this number. Reply START to get them again.”",
                max_length=320,
                verbose_name="confirmation of an opt-out",
            ),
        ),
        migrations.AlterField(
            model_name="inbox",
            name="help_text",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Answers HELP, INFO and AIDE, unless the carrier does. Empty: nothing is answered.",
                max_length=320,
            ),
        ),
    ]
