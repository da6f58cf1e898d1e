"""Print the address at which an installation that nobody has set up yet is set up."""

from typing import Any

from django.core.management import CommandError

from config.management.plain import PlainCommand
from messaging.models import FirstStart
from messaging.setup import announcing


class Command(PlainCommand):
    help = "Print the address with the one-time key, while nobody has set up this installation."

    def handle(self, *args: Any, **options: Any) -> None:
        lines = announcing.setup_lines()
        if not lines:
            raise CommandError(_already_set_up(), returncode=1)
        self.stdout.write("\n".join(lines))


def _already_set_up() -> str:
    row = FirstStart.objects.select_related("administrator").first()
    if row is None or row.ended_at is None or row.administrator is None:
        return "This installation has been set up already. Sign in as an administrator."
    who, when = row.administrator, row.ended_at
    return (
        f"This installation has been set up already, by {who.display_name} ({who.username})"
        f" on {when:%Y-%m-%d at %H:%M} UTC. Sign in as an administrator."
    )
