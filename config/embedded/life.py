"""Who keeps the embedded server alive: every process that uses it is a guest, and the last guest
to leave turns off the light. Guests are counted by a shared file lock, which the kernel gives back
even after `kill -9`; the next guest then finds the server running and leaves as usual."""

import atexit
import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from config.embedded.cluster import START_SECONDS, Cluster
from config.embedded.places import Places

_TURN_SECONDS = 2 * START_SECONDS
_LEAVE_SECONDS = 3.0

_mutex = threading.RLock()
_stays: dict[Path, "_Stay"] = {}


class Gone(RuntimeError):
    """The server cannot be started. The text says where to look."""


class _Stay:
    def __init__(self, cluster: Cluster, descriptor: int) -> None:
        self.cluster = cluster
        self.descriptor = descriptor
        self.pid = os.getpid()


def ensure_running(data_dir: Path, *, is_durable: bool = True, recheck: bool = False) -> None:
    """Become a guest, starting the server if it does not answer. Cheap when called again.

    With `recheck` an existing guest asks the server once more and revives it: for whoever
    supervises it. Raises Gone.
    """
    # Without the mutex: a request must not wait here while a supervisor revives the server.
    if not recheck and data_dir in _stays:
        return
    with _mutex:
        stay = _stays.get(data_dir)
        if stay is not None and (not recheck or stay.cluster.answers()):
            return
        cluster = Cluster(Places(data_dir), is_durable)
        data_dir.mkdir(parents=True, exist_ok=True)
        with _turn(cluster.places, _TURN_SECONDS) as is_mine:
            if not is_mine:
                raise Gone("another process is starting or stopping PostgreSQL and never ends")
            descriptor = stay.descriptor if stay else _arrive(cluster.places)
            try:
                if not cluster.answers():
                    cluster.start()
            except (OSError, RuntimeError, psycopg.Error) as error:
                if stay is None:
                    os.close(descriptor)
                raise Gone(str(error)) from error
        _stays.setdefault(data_dir, _Stay(cluster, descriptor))


def _arrive(places: Places) -> int:
    descriptor = _open(places.guests)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


def leave(data_dir: Path) -> bool:
    """Stop being a guest. True where this was the last one, and the server was told to stop."""
    with _mutex:
        stay = _stays.pop(data_dir, None)
        if stay is None or stay.pid != os.getpid():
            # A forked child shares its parent's lock and must not speak for it.
            return False
        try:
            with _turn(stay.cluster.places, _LEAVE_SECONDS) as is_mine:
                if not is_mine:
                    return False  # somebody is starting: they are a guest, so we are not the last
                try:
                    fcntl.flock(stay.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return False
                stay.cluster.stop()
                return True
        finally:
            os.close(stay.descriptor)


def leave_all() -> None:
    for data_dir in list(_stays):
        leave(data_dir)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


@contextmanager
def _turn(places: Places, seconds: float) -> Iterator[bool]:
    """Whether we may start and stop the server, for as long as the block lasts."""
    descriptor = _open(places.turn)
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


atexit.register(leave_all)
