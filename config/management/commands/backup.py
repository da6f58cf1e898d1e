"""Make a backup while Partyline runs."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from config.backup.errors import Refused
from config.backup.making import make_backup
from config.management.plain import PlainCommand


class Command(PlainCommand):
    help = (
        "Write the database, pictures and files to FILE, while Partyline runs. Keys, second"
        " factors and sessions are not in it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path, help="a new file")
        parser.add_argument(
            "--keys",
            metavar="FILE",
            type=Path,
            help="also write keys, second factors and settings to this file: keep it apart",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        file, keys_file = options["file"], options["keys"]
        try:
            make_backup(file, keys_file)
        except (Refused, OSError) as error:
            raise CommandError(f"{error} No backup was made.", returncode=2) from error
        self.stdout.write(f"{file}: the database, pictures and files")
        if keys_file is not None:
            self.stdout.write(f"{keys_file}: keys, second factors and settings")
        else:
            self.stdout.write(
                f"Without the keys (--keys FILE) in {settings.DATA_DIR} or in the environment,"
                " the carriers' secrets in it cannot be read."
            )
        if settings.MEDIA_BUCKET:
            self.stdout.write(f"The files in the bucket {settings.MEDIA_BUCKET} are not in it.")
