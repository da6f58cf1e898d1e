"""Fold the words of the search anew: after an upgrade, once no process of the old version runs."""

from typing import Any

from django.core.management import BaseCommand

from messaging.stream.refolding import refold_activity, refold_words


class Command(BaseCommand):
    help = "Bring the words of the search up to date with how this version folds them."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{refold_words() + refold_activity()} rows had other words.")
