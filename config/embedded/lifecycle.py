"""Starting the embedded server with the first process that uses it, and stopping it with the last.

Every process that uses the server holds a shared file lock. Whoever gets that lock exclusively is
the last one. The kernel releases it even after `kill -9`; the server then keeps running until the
next process that uses it has ended.
"""

import atexit
import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from config.embedded.paths import ServerPaths
from config.embedded.server import START_SECONDS, EmbeddedServer

_START_LOCK_SECONDS = 2 * START_SECONDS
_RELEASE_SECONDS = 3.0

_mutex = threading.RLock()
_uses: dict[Path, "_Use"] = {}


class ServerUnavailable(RuntimeError):
    """The server cannot be started. The text says where to look."""


class _Use:
    """This process's use of the server: the open file that holds the shared lock."""

    def __init__(self, server: EmbeddedServer, descriptor: int) -> None:
        self.server = server
        self.descriptor = descriptor
        self.pid = os.getpid()


def ensure_running(data_dir: Path, *, is_durable: bool = True, recheck: bool = False) -> None:
    """Register this process's use of the server, and start the server if it does not answer.

    A second call costs nothing. With `recheck` it checks the server again and starts it if it
    died; that is for a supervisor. Raises ServerUnavailable.
    """
    # Without the mutex: a request must not wait while a supervisor starts the server again.
    if not recheck and data_dir in _uses:
        return
    with _mutex:
        use = _uses.get(data_dir)
        if use is not None and (not recheck or use.server.is_answering()):
            return
        server = EmbeddedServer(ServerPaths(data_dir), is_durable)
        data_dir.mkdir(parents=True, exist_ok=True)
        with _start_lock(server.paths, _START_LOCK_SECONDS) as is_mine:
            if not is_mine:
                raise ServerUnavailable(
                    "another process is starting or stopping PostgreSQL and never ends"
                )
            descriptor = use.descriptor if use else _register_use(server.paths)
            try:
                if not server.is_answering():
                    server.start()
            except (OSError, RuntimeError, psycopg.Error) as error:
                if use is None:
                    os.close(descriptor)
                raise ServerUnavailable(str(error)) from error
        _uses.setdefault(data_dir, _Use(server, descriptor))


def _register_use(paths: ServerPaths) -> int:
    descriptor = _open_lock_file(paths.users_lock)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


def release_server(data_dir: Path) -> bool:
    """End this process's use of the server; the last process to do so stops the server.

    Returns True if it was stopped.
    """
    with _mutex:
        use = _uses.pop(data_dir, None)
        if use is None or use.pid != os.getpid():
            # A forked child shares its parent's lock and must not release it.
            return False
        try:
            with _start_lock(use.server.paths, _RELEASE_SECONDS) as is_mine:
                if not is_mine:
                    return False  # another process is starting it, so this one is not the last
                try:
                    fcntl.flock(use.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return False
                use.server.stop()
                return True
        finally:
            os.close(use.descriptor)


def release_all_servers() -> None:
    for data_dir in list(_uses):
        release_server(data_dir)


def _open_lock_file(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


@contextmanager
def _start_lock(paths: ServerPaths, seconds: float) -> Iterator[bool]:
    """Try for some seconds to get the lock that guards starting and stopping the server.

    Yields True if this process holds it for the block.
    """
    descriptor = _open_lock_file(paths.start_lock)
    deadline = time.monotonic() + seconds
    is_mine = False
    try:
        while not is_mine:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                is_mine = True
            except BlockingIOError:
                if time.monotonic() > deadline:
                    break
                time.sleep(0.02)
        yield is_mine
    finally:
        os.close(descriptor)


atexit.register(release_all_servers)
