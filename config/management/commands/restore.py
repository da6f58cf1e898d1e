"""Restore a backup into an empty installation."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from config.backup.errors import Refused
from config.backup.restoring import restore_backup
from config.management.plain import PlainCommand


class Command(PlainCommand):
    help = (
        "Restore what `backup` wrote, into an empty database and data folder, while Partyline is"
        " stopped. Texts that were waiting are not sent: they appear as failed, and scheduled"
        " ones as held. Everyone has to sign in again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path, help="the backup")
        keys = parser.add_mutually_exclusive_group()
        keys.add_argument("--keys", metavar="FILE", type=Path, help="the file with its keys")
        keys.add_argument(
            "--without-keys",
            action="store_true",
            help="the keys are lost: enter the carriers' secrets and set up second factors again",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            restore_backup(options["file"], options["keys"], without_keys=options["without_keys"])
        except (Refused, OSError) as error:
            status = error.status if isinstance(error, Refused) else 2
            raise CommandError(f"{error} Nothing was restored.", returncode=status) from error
        self.stdout.write(
            "Restored. Texts that were waiting have become failed or held, and everyone has to"
            " sign in again. Now run `upgrade`, which counts what failed, and start Partyline."
        )
        if options["keys"] is None:
            self.stdout.write("Second factors were not in it: they have to be set up again.")
