"""Take a database through its migrations, one step after the other, for whoever starts this.

Each line that comes in names a migration, of `messaging` unless it says another app; a line goes
out when it is applied. The models of all that was applied before are made once, where `manage.py
migrate` makes them for each of its steps, which takes many times as long as the step itself.

A number after the name breaks the step off after so many changes to the database, as a killed
program would. Migrations that the database has forgotten are run anew.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import django

CHANGES = ("ALTER", "CREATE", "DO", "DROP", "LOCK", "UPDATE")


class Killed(Exception):
    """Break a step off."""


class Steps:
    """Apply migrations, and remember the models from before each of them."""

    def __init__(self) -> None:
        self.before: dict[tuple[str, str], Any] = {}
        self.state: Any = None

    def take(self, app: str, name: str) -> None:
        from django.db import connection
        from django.db.migrations.executor import MigrationExecutor

        executor = MigrationExecutor(connection)
        target = executor.loader.get_migration_by_prefix(app, name)
        for migration, _ in executor.migration_plan([(app, target.name)]):
            state = self.before.setdefault((migration.app_label, migration.name), self.state)
            state = state.clone() if state else None
            self.state = executor.migrate([], [(migration, False)], state)


def main() -> None:
    django.setup()
    from django.db import OperationalError, connection

    steps = Steps()
    for line in sys.stdin:
        step, _, changes = line.strip().partition(" ")
        app, _, name = step.rpartition(".")
        try:
            with connection.execute_wrapper(kill_after(int(changes or -1))):
                steps.take(app or "messaging", name)
            print("applied", flush=True)
        except (Killed, OperationalError):
            print("stopped", flush=True)


def kill_after(changes: int) -> Callable[..., object]:
    left = changes

    def run(execute: Callable[..., object], statement: str, *rest: Any) -> object:
        nonlocal left
        done = execute(statement, *rest)
        left -= str(statement).lstrip().startswith(CHANGES)
        if left == 0:
            raise Killed
        return done

    return run


if __name__ == "__main__":
    main()
