"""Run pages only, for an installation of several processes."""

from typing import Any

from daphne.cli import CommandLineInterface
from django.conf import settings
from django.core.management.base import CommandParser

from config.management.plain import PlainCommand

# -v 0: Daphne's own access log contains whole addresses, with what people search for.
OPTIONS = ["-v", "0", "--proxy-headers", "--application-close-timeout", "5"]
OPTIONS += ["--websocket-max-message-size", "65536", "--websocket-max-frame-size", "65536"]


class Command(PlainCommand):
    help = "Run pages only, behind a proxy that sets X-Forwarded-For and X-Forwarded-Proto."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "port", nargs="?", type=int, default=settings.PORT, help="the port; PORT by default"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.print_setup_lines()
        where = f"tcp:{options['port']}:interface={settings.HOST}:backlog=512"
        CommandLineInterface().run([*OPTIONS, "-e", where, "config.asgi:application"])
