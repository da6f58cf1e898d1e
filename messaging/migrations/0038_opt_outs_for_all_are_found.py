"""The opt-outs that count for all our numbers are found without reading the others."""

from django.db import migrations, models

from inboxes.live_migrations import AddLiveIndex


class Migration(migrations.Migration):
    # Texts keep coming in while the index is built.
    atomic = False

    dependencies = [("messaging", "0037_imports_tell_more")]

    operations = [
        AddLiveIndex(
            model_name="optout",
            index=models.Index(
                condition=models.Q(("ended_at", None), ("is_for_all", True)),
                fields=["address"],
                name="opt_out_for_all",
            ),
        ),
    ]
