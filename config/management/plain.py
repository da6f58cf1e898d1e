"""Help our own commands: what they take, and what they say of a new installation."""

from django.core.management import BaseCommand
from django.db import InterfaceError, OperationalError, ProgrammingError, connections

from messaging.setup import announcing


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
