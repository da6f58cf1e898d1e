"""Make a key for web push, for installations that pass their keys in the environment."""

from typing import Any

from django.core.management import BaseCommand

from config.vapid import make_vapid_key


class Command(BaseCommand):
    help = (
        "Print a new VAPID_PRIVATE_KEY. Without that variable one is made into the data folder."
        " A new key voids the subscriptions that browsers made with the old one."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"VAPID_PRIVATE_KEY={make_vapid_key()}")
