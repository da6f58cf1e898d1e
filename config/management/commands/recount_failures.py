"""Count failures anew: after an upgrade, once no process of the old version runs."""

from typing import Any

from django.core.management import BaseCommand

from messaging.stream.recounting import recount_failures


class Command(BaseCommand):
    help = "Bring the counts of failed and unknown texts of threads and inboxes right."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{recount_failures()} threads and inboxes had other counts.")
