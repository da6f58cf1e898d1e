"""Bring the data up to date after a new version was installed."""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from config.management.plain import PlainCommand
from config.static_files import collect_static_if_changed
from config.version import VERSION
from messaging.stream.recounting import recount_failures
from messaging.stream.refolding import refold_activity, refold_words


class Command(PlainCommand):
    help = (
        "Bring database and static files up to date with this version, and say what was done."
        " It can run at any time, also while the old version still runs."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"Partyline {VERSION}, data in {settings.DATA_DIR}")
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if plan:
            call_command("migrate", interactive=False, verbosity=0)
        self._say("Database", f"{len(plan)} changes made" if plan else "was up to date")
        is_new = collect_static_if_changed()
        self._say("Static files", "collected" if is_new else "were up to date")
        self._say("Search", f"{refold_words() + refold_activity()} rows had other words")
        self._say("Failed texts", f"{recount_failures()} threads and inboxes had other counts")

    def _say(self, subject: str, what: str) -> None:
        self.stdout.write(f"{subject}: {what}")
        self.stdout.flush()
