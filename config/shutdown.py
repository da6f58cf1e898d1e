"""Ending a process within 10 s of SIGTERM, however busy it is."""

import logging
import os
import sys
import threading
import time

logger = logging.getLogger(__name__)

EXIT_SECONDS = 9.0

_server_exits = False


def exit_after_deadline() -> None:
    """Exit after EXIT_SECONDS even if something hangs, such as a thread in a system call."""

    def wait_and_exit() -> None:
        time.sleep(EXIT_SECONDS)
        logger.error("did not stop in %.0f s and is ended", EXIT_SECONDS)
        sys.stderr.flush()
        os._exit(1)

    threading.Thread(target=wait_and_exit, name="last-resort", daemon=True).start()


def leave_exit_to_server() -> None:
    """Switch `exit_with_reactor` off, for a server that exits on its own."""
    global _server_exits
    _server_exits = True


def exit_with_reactor() -> None:
    """Make the `daphne` command exit when its reactor stops; elsewhere do nothing.

    Daphne waits for requests, and Python for their threads. A thread that itself waits for the
    stopped event loop would keep the process alive forever.
    """
    if "twisted.internet.reactor" not in sys.modules:
        return
    from twisted.internet import reactor

    reactor.addSystemEventTrigger("before", "shutdown", _before_reactor_shutdown)
    reactor.addSystemEventTrigger("after", "shutdown", _after_reactor_shutdown)


def _before_reactor_shutdown() -> None:
    if not _server_exits:
        exit_after_deadline()


def _after_reactor_shutdown() -> None:
    if not _server_exits:
        logging.shutdown()
        os._exit(0)
