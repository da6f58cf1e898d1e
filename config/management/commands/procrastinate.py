"""The package's own command, but for its worker, which is ours."""

from typing import Any

from django.core.management import call_command
from procrastinate.contrib.django.management.commands import procrastinate


class Command(procrastinate.Command):
    """`procrastinate worker` is `worker` here: the package's own moves deferring off Django's
    transaction (docs/decisions/0002-one-process-serve.md). Everything else is the package's."""

    def handle(self, *args: Any, **options: Any) -> None:
        if options["command"] == "worker":
            call_command("worker")
        else:
            super().handle(*args, **options)
