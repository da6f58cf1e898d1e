from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("threads", "0008_when_a_thread_was_deleted")]

    operations = [
        migrations.AlterField(
            model_name="thread",
            name="needs_reply",
            field=models.BooleanField(
                db_default=False,
                default=False,
                editable=False,
                help_text="Whether the last text came in and asks for an answer that can be given.",
            ),
        ),
    ]
