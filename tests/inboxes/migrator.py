"""Take a database through its migrations, one step after the other, for whoever starts this.

Each line that comes in names a migration of `messaging`; a line goes out when it is applied. The
models of all that was applied before are made once, where `manage.py migrate` makes them for each
of its steps, which takes many times as long as the step itself.
"""

from __future__ import annotations

import sys

import django


def main() -> None:
    django.setup()
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    state = None
    for line in sys.stdin:
        executor = MigrationExecutor(connection)
        target = executor.loader.get_migration_by_prefix("messaging", line.strip())
        state = executor.migrate([("messaging", target.name)], state=state)
        print("applied", flush=True)


if __name__ == "__main__":
    main()
