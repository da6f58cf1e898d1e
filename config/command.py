"""The `partyline` command: a few plain commands in front of Django's management commands."""

import difflib
import os
import sys
from pathlib import Path
from typing import NoReturn

from django.conf import settings
from django.core.management import BaseCommand, ManagementUtility, get_commands
from dotenv import dotenv_values

from config.environment import BadSetting
from config.version import VERSION

# What a command is called here, what its management command is called, and what it does.
COMMANDS = {
    "serve": ("serve", "Run everything in one process: database, pages and jobs."),
    "setup-link": ("setup_link", "Print the address at which a new installation is set up."),
    "backup": ("backup", "Write the database, pictures and files to one file."),
    "restore": ("restore", "Restore such a file into an empty installation."),
    "upgrade": ("upgrade", "Bring the data up to date after a new version was installed."),
    "web": ("web", "Run pages only, in an installation of several processes."),
    "worker": ("worker", "Run jobs only, in an installation of several processes."),
    "manage": ("", "Run any other command; `partyline manage help` lists them."),
}
USAGE = "usage: partyline [--env-file FILE] COMMAND [OPTION…]"
HELP = f"""\
{USAGE}

Partyline {VERSION}, a shared SMS inbox that a team hosts itself.

Commands:
{{commands}}

Options:
  --env-file FILE  Read settings from FILE, one NAME=value a line. What the environment
                   sets already has precedence.
  --version        Print the version.
  --help           Print this. After a command: print what that command takes.
"""


def main(arguments: list[str] | None = None) -> None:
    """Run one command and exit with its status; 2 means that it was not understood."""
    rest = sys.argv[1:] if arguments is None else arguments
    while rest and rest[0].startswith("-"):
        option, *rest = rest
        if option in {"-h", "--help"}:
            _print_help()
            return
        if option == "--version":
            sys.stdout.write(f"partyline {VERSION}\n")
            return
        if option == "--env-file" and rest:
            _read_env_file(Path(rest.pop(0)))
        elif option.startswith("--env-file="):
            _read_env_file(Path(option.partition("=")[2]))
        else:
            takes = "--env-file takes a file." if option == "--env-file" else ""
            _refuse(takes or f"There is no option {option}.")
    if not rest or rest[0] == "help":
        _print_help()
        return
    run_management(_translate(rest))


def run_management(argv: list[str]) -> None:
    """Run a management command; a wrong setting ends here with a sentence, not a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        Management(argv).execute()
    except BadSetting as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)


class Management(ManagementUtility):
    """Django's runner of commands, with our status for a command that does not exist."""

    def fetch_command(self, subcommand: str) -> BaseCommand:
        _ = settings.INSTALLED_APPS  # raises what is wrong with them, if anything is
        known = get_commands()
        if subcommand not in known:
            near = difflib.get_close_matches(subcommand, known, 1)
            guess = f" Did you mean “{near[0]}”?" if near else ""
            sys.stderr.write(
                f"{self.prog_name}: There is no command “{subcommand}”.{guess}\n"
                f"`{self.prog_name} help` lists the commands.\n"
            )
            sys.exit(2)
        return super().fetch_command(subcommand)


def _translate(words: list[str]) -> list[str]:
    """Return the arguments of Django's runner for what was given to `partyline`."""
    name, *rest = words
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, 1)
        guess = f" Did you mean “{near[0]}”?" if near else ""
        _refuse(f"There is no command “{name}”.{guess}")
    if name != "manage":
        return ["partyline", COMMANDS[name][0], *rest]
    return ["partyline manage", *(rest or ["help"])]


def _print_help() -> None:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {what}" for name, (_, what) in COMMANDS.items()]
    sys.stdout.write(HELP.format(commands="\n".join(lines)))


def _read_env_file(path: Path) -> None:
    try:
        with path.open(encoding="utf-8") as file:
            found = dotenv_values(stream=file, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        _refuse(f"{path} cannot be read: {getattr(error, 'strerror', 'it is not text')}.")
    for name, value in found.items():
        os.environ.setdefault(name, value or "")


def _refuse(why: str) -> NoReturn:
    sys.stderr.write(f"partyline: {why}\n{USAGE}\n`partyline --help` lists the commands.\n")
    sys.exit(2)
