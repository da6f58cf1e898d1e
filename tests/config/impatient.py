"""`manage.py serve`, or the `daphne` command, with time limits of half a second for requests."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from daphne.cli import CommandLineInterface
    from django.core.management import execute_from_command_line

    from config import request_limits

    request_limits.GRACE_SECONDS = 0.5
    request_limits.LINGER_SECONDS = 0.5
    if sys.argv[1] == "serve":
        execute_from_command_line(["manage.py", "serve"])
    else:
        where = ["-v", "0", "-b", "127.0.0.1", "-p", os.environ["PORT"]]
        CommandLineInterface().run([*where, "config.asgi:application"])


if __name__ == "__main__":
    main()
