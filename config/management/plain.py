"""Give our own commands a help that lists only what the command itself takes."""

from django.core.management import BaseCommand


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
