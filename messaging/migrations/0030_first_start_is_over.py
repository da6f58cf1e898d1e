"""End the first start where there is an administrator: they may be from before there was one."""

from typing import Any

from django.db import migrations
from django.utils import timezone


def end_first_start(apps: Any, _: Any) -> None:
    agents = apps.get_model("inboxes", "Agent").objects
    first_starts = apps.get_model("messaging", "FirstStart").objects
    administrators = agents.filter(is_staff=True).order_by("-is_active", "pk")
    first = administrators.values_list("pk", flat=True).first()
    if first is None:
        return
    first_starts.get_or_create(pk=1)
    first_starts.filter(ended_at=None).update(
        ended_at=timezone.now(), encrypted_key="", administrator=first
    )


class Migration(migrations.Migration):
    dependencies = [("messaging", "0029_e_mails_about_what_was_missed")]

    operations = [
        migrations.RunPython(end_first_start, migrations.RunPython.noop, elidable=True),
    ]
