"""However busy a process is, it ends within 10 s of SIGTERM."""

import logging
import os
import sys
import threading
import time

logger = logging.getLogger(__name__)

LAST_RESORT = 9.0

_has_own_end = False


def end_at_last() -> None:
    """Whatever hangs from now on (a thread in a system call, say), the process ends."""

    def wait_and_exit() -> None:
        time.sleep(LAST_RESORT)
        logger.error("did not stop in %.0f s and is ended", LAST_RESORT)
        sys.stderr.flush()
        os._exit(1)

    threading.Thread(target=wait_and_exit, name="last-resort", daemon=True).start()


def keep_own_end() -> None:
    """For a server that stops in its own way: leave it alone."""
    global _has_own_end
    _has_own_end = True


def mind_plain_daphne() -> None:
    """Under the `daphne` command, whose reactor is up by now, end with the reactor. Daphne waits
    for requests, and Python for their threads, and one that waits for the stopped event loop
    would be waited for ever."""
    if "twisted.internet.reactor" not in sys.modules:
        return
    from twisted.internet import reactor

    reactor.addSystemEventTrigger("before", "shutdown", _begin_to_end)
    reactor.addSystemEventTrigger("after", "shutdown", _end)


def _begin_to_end() -> None:
    if not _has_own_end:
        end_at_last()


def _end() -> None:
    if not _has_own_end:
        logging.shutdown()
        os._exit(0)
