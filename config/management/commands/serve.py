"""Run the whole product in one process."""

import errno
import logging
import os
import signal
import socket
import sys
from types import FrameType
from typing import Any, NoReturn

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor

from config.demo import PASSWORD
from config.embedded.lifecycle import release_all_servers
from config.management.plain import PlainCommand
from config.single_process import (
    DatabaseAlreadyServed,
    hold_single_process_lock,
    release_single_process_lock,
)
from config.static_files import collect_static_if_changed
from messaging.setup import announcing

DEMO_PEOPLE = ("admin", "ana", "ben", "cho")


class Command(PlainCommand):
    help = "Serve everything from this one process: database, migrations, pages and jobs."

    def handle(self, *args: Any, **options: Any) -> None:
        signal.signal(signal.SIGTERM, _exit_at_once)
        listening = self._open_socket()
        try:
            self._prepare_database()
        except DatabaseAlreadyServed as refusal:
            raise CommandError(str(refusal), returncode=3) from None
        self._print_welcome(announcing.setup_lines())
        connections.close_all()
        # This process may be unable to call its own public name, but always itself.
        settings.SIMULATOR_API_URL = settings.SIMULATOR_API_URL or _own_address()
        self._run_server(listening)

    def _open_socket(self) -> socket.socket:
        # Twisted is imported late: it takes half a second and installs its reactor.
        from config.server import open_listening_socket

        try:
            return open_listening_socket(settings.HOST, settings.PORT)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise CommandError(
                    f"Port {settings.PORT} on {settings.HOST} is in use by another program. Try "
                    f"PORT={_find_free_port()}",
                    returncode=2,
                ) from None
            raise CommandError(
                f"Can't listen on HOST={settings.HOST} PORT={settings.PORT}: {error}",
                returncode=2,
            ) from None

    def _prepare_database(self) -> None:
        hold_single_process_lock()
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self.stdout.write("Updating the database.")
            call_command("migrate", interactive=False, verbosity=0)
        collect_static_if_changed()
        if settings.DEMO and not get_user_model().objects.exists():
            self.stdout.write("Adding the demo's people and messages.")
            call_command("seed_demo", verbosity=0)
        connections.close_all()

    def _print_welcome(self, setup_lines: list[str]) -> None:
        address = settings.PUBLIC_URL
        self.stdout.write(f"Partyline is at {address}/")
        if settings.DEMO:
            self.stdout.write(f"Sign in as {', '.join(DEMO_PEOPLE)}; password {PASSWORD}.")
            self.stdout.write(f"A phone to text with: {address}/simulator/")
        for line in setup_lines:
            self.stdout.write(line)
        self.stdout.write("Stop with Ctrl-C.")
        self.stdout.flush()

    def _run_server(self, listening: socket.socket) -> None:
        from config.asgi import application
        from config.server import PartylineServer

        PartylineServer(application, listening).run()
        release_single_process_lock()
        for alias in connections:
            connections[alias].close_pool()  # type: ignore[attr-defined]  # PostgreSQL has one
        release_all_servers()
        logging.shutdown()
        # Python itself would wait for a thread that hangs in a request to a carrier.
        sys.stdout.flush()
        os._exit(0)


def _exit_at_once(number: int, frame: FrameType | None) -> NoReturn:
    sys.exit(128 + number)


def _find_free_port() -> int:
    for port in range(settings.PORT + 1, min(settings.PORT + 100, 65536)):
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)):
                return port
    return 8000


def _own_address() -> str:
    """Return where this process can be called from its own machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "[::]": "::1"}.get(settings.HOST, settings.HOST)  # noqa: S104
    name = host.strip("[]")
    return f"http://{f'[{name}]' if ':' in name else name}:{settings.PORT}"
