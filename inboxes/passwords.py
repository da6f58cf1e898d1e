"""Hashing passwords at a bounded cost: whoever can reach the sign-in page can ask for a hash."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from django.contrib.auth.hashers import Argon2PasswordHasher

from inboxes.database import release_connection

T = TypeVar("T")

WAITING = 20
PATIENCE = 5.0  # seconds
RETRY_AFTER = 5  # seconds, for who was refused


class PasswordsBusy(Exception):
    """More passwords wait for their hash than there is room for."""


class HashingQueue:
    """Hash in one thread, one password after the other.

    The memory of one hash is then all that hashing takes: an allocator that keeps an arena for
    each thread would keep that much in each. `waiting` threads may wait, for `patience` seconds;
    they hold no database connection meanwhile.
    """

    def __init__(self, waiting: int = WAITING, patience: float = PATIENCE) -> None:
        self.waiting = waiting
        self.patience = patience
        self._count = 0
        self._counting = threading.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="hashing")

    @property
    def is_full(self) -> bool:
        return self._count > self.waiting

    def run(self, hash_one: Callable[[], T]) -> T:
        """Raise PasswordsBusy when too many wait already, or the wait takes too long."""
        with self._counting:
            if self.is_full:
                raise PasswordsBusy
            self._count += 1
            is_alone = self._count == 1
        try:
            future = self._thread.submit(hash_one)
            if not is_alone:
                release_connection()
            return self._result(future)
        finally:
            with self._counting:
                self._count -= 1

    def _result(self, future: Future[T]) -> T:
        try:
            return future.result(self.patience)
        except TimeoutError:
            if future.cancel():
                raise PasswordsBusy from None
        return future.result()  # its turn has come


queue = HashingQueue()


class Argon2Hasher(Argon2PasswordHasher):
    """Argon2id with the parameters that OWASP's Password Storage Cheat Sheet names: 19 MiB.

    Django's own take 100 MB on eight threads. Hashes made with those are still verified, in the
    same queue, and replaced when their owner signs in.
    """

    time_cost = 2
    memory_cost = 19 * 1024  # KiB
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        encode = super().encode
        return queue.run(lambda: encode(password, salt))

    def verify(self, password: str, encoded: str) -> bool:
        verify = super().verify
        return queue.run(lambda: verify(password, encoded))
