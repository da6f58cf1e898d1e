"""Procrastinate's own command, with our worker."""

from typing import Any

from django.core.management import call_command
from procrastinate.contrib.django.management.commands import procrastinate


class Command(procrastinate.Command):
    """Runs our `worker` for `procrastinate worker`, and procrastinate's own code for the rest.

    Procrastinate's own worker would move deferring out of Django's transaction
    (docs/decisions/0002-one-process-serve.md).
    """

    def handle(self, *args: Any, **options: Any) -> None:
        if options["command"] == "worker":
            call_command("worker")
        else:
            super().handle(*args, **options)
