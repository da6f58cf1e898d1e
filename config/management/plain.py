"""Help our own commands: what they take, what they say of a new installation and of a database
that is away."""

from typing import Any

import psycopg
from django.core.management import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError, ProgrammingError, connections

from messaging.setup import announcing

NO_TABLES = "The database has no tables yet: run `serve` or `upgrade` first."


class PlainCommand(BaseCommand):
    """A command whose help leaves out the options that all of Django's commands have."""

    requires_system_checks: list[str] = []  # they take a second, and `make check` runs them
    suppressed_base_arguments = {
        "--version",
        "--verbosity",
        "-v",
        "--settings",
        "--pythonpath",
        "--traceback",
        "--no-color",
        "--force-color",
        "--skip-checks",
    }

    def print_setup_lines(self) -> None:
        """Say where a new installation is set up, if the database can be asked.

        A process of several may start before the database does, or before it is migrated.
        """
        try:
            for line in announcing.setup_lines():
                self.stdout.write(line)
        except (OperationalError, InterfaceError, ProgrammingError):
            return
        finally:
            connections.close_all()
        self.stdout.flush()

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run the command. A database that is away or empty ends it with a sentence, status 4."""
        try:
            return super().execute(*args, **options)
        except (OperationalError, psycopg.OperationalError) as error:
            raise CommandError(f"Can't use the database: {error}", returncode=4) from error
        except ProgrammingError as error:
            if isinstance(error.__cause__, psycopg.errors.UndefinedTable):
                raise CommandError(NO_TABLES, returncode=4) from error
            raise
