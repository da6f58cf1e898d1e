"""Password hashing at a bounded cost: anybody who reaches the sign-in page can cause a hash."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from django.contrib.auth.hashers import Argon2PasswordHasher

from inboxes.database import release_connection

T = TypeVar("T")

MAX_WAITING = 20
MAX_WAIT_SECONDS = 5.0
RETRY_AFTER_SECONDS = 5


class PasswordsBusy(Exception):
    """Too many passwords wait to be hashed."""


class HashingQueue:
    """Hashes passwords in one thread, one after the other.

    So hashing takes no more memory than one hash does: an allocator with an arena for each thread
    would keep that much in every one. Up to `max_waiting` threads wait for `max_wait` seconds, and
    hold no database connection while they do.
    """

    def __init__(self, max_waiting: int = MAX_WAITING, max_wait: float = MAX_WAIT_SECONDS) -> None:
        self.max_waiting = max_waiting
        self.max_wait = max_wait
        self._count = 0
        self._counting = threading.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="hashing")

    @property
    def is_full(self) -> bool:
        return self._count > self.max_waiting

    def hash_in_turn(self, hash_one: Callable[[], T]) -> T:
        """Call `hash_one` in turn. Raises PasswordsBusy if that would take too long."""
        with self._counting:
            if self.is_full:
                raise PasswordsBusy
            self._count += 1
            is_alone = self._count == 1
        try:
            future = self._thread.submit(hash_one)
            if not is_alone:
                release_connection()
            return self._await_result(future)
        finally:
            with self._counting:
                self._count -= 1

    def _await_result(self, future: Future[T]) -> T:
        try:
            return future.result(self.max_wait)
        except TimeoutError:
            if future.cancel():
                raise PasswordsBusy from None
        return future.result()  # it is being hashed already


queue = HashingQueue()


class Argon2Hasher(Argon2PasswordHasher):
    """Argon2id with the parameters of OWASP's Password Storage Cheat Sheet, which take 19 MiB.

    Django's own parameters take 100 MB on eight threads. Hashes made with them are still verified,
    in the same queue, and replaced when their owner signs in.
    """

    time_cost = 2
    memory_cost = 19 * 1024  # KiB
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        encode = super().encode
        return queue.hash_in_turn(lambda: encode(password, salt))

    def verify(self, password: str, encoded: str) -> bool:
        verify = super().verify
        return queue.hash_in_turn(lambda: verify(password, encoded))
