"""The search finds letters with strokes and ligatures by plain ones: Łódź by lodz.

Nothing waits for this: it writes row by row, and only rows whose words differ. Texts that the old
version takes in meanwhile are caught up by `manage.py refold_words`.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations

from messaging.stream.refolding import refold_words


def fold_anew(apps: Any, editor: Any) -> None:
    refold_words()


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("messaging", "0022_group_texts"),
        ("threads", "0009_needs_reply_can_be_answered"),
    ]

    operations = [migrations.RunPython(fold_anew, migrations.RunPython.noop, elidable=True)]
