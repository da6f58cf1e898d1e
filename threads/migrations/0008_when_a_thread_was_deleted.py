from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("threads", "0007_list_of_failed_texts")]

    operations = [
        migrations.AddField(
            model_name="threadstate",
            name="hidden_at",
            field=models.DateTimeField(
                help_text="When the agent deleted it; what was read then comes back with it.",
                null=True,
            ),
        ),
    ]
