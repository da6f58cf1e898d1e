"""The lock that keeps a second process off the database when there is no Redis.

Without Redis, bells reach only the pages of their own process, and those of a second process would
go stale. The lock is an advisory lock in PostgreSQL.
"""

import asyncio
import logging
import os
import signal
import threading
import time
from typing import Any

import psycopg
from django.conf import settings
from django.db import OperationalError
from procrastinate.contrib.django.utils import connector_params

logger = logging.getLogger(__name__)

# Any fixed number serves; PostgreSQL keeps these locks per database.
_KEY = 0x7061727479
_WATCH_SECONDS = 3.0
REFUSAL = (
    "Another Partyline process already serves this database. Stop it first, or give every process"
    " the same REDIS_URL, with which any number can run."
)


class DatabaseAlreadyServed(Exception):
    """Another process holds the lock. The text is for the administrator."""


class _AdvisoryLock:
    """An advisory lock with a connection of its own, which a thread replaces when it breaks."""

    def __init__(self) -> None:
        self._connection: psycopg.Connection[Any] | None = None
        self._closing = threading.Event()

    def acquire(self, patience: float) -> None:
        deadline = time.monotonic() + patience
        while not self._try_acquire():
            if time.monotonic() > deadline:
                raise DatabaseAlreadyServed(REFUSAL)
            time.sleep(0.25)
        threading.Thread(target=self._keep_held, name="single-process-lock", daemon=True).start()

    def release(self) -> None:
        self._closing.set()
        if self._connection is not None:
            self._connection.close()

    def _try_acquire(self) -> bool:
        connection = psycopg.connect(**connector_params(), autocommit=True)
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", [_KEY]).fetchone()
        if row is not None and row[0]:
            self._connection = connection
            return True
        connection.close()
        return False

    def _keep_held(self) -> None:
        while not self._closing.wait(_WATCH_SECONDS):
            try:
                if self._connection is not None:
                    self._connection.execute("SELECT 1")
                    continue
                if self._try_acquire():
                    logger.info("holds the single-process lock again")
                else:
                    logger.critical("lost the single-process lock to another process: %s", REFUSAL)
            except (psycopg.Error, OperationalError):
                if self._connection is not None:
                    logger.warning("the single-process lock is gone with its connection")
                self._connection = None


_held_lock: _AdvisoryLock | None = None
_mutex = threading.Lock()


def hold_single_process_lock(patience: float = 3.0) -> None:
    """Take the lock until this process ends, unless REDIS_URL is set.

    Waits up to `patience` seconds for another process to end. Raises DatabaseAlreadyServed, or the
    OperationalError of psycopg or Django.
    """
    global _held_lock
    if settings.REDIS_URL or not settings.SINGLE_PROCESS_LOCK:
        return
    with _mutex:
        if _held_lock is None:
            lock = _AdvisoryLock()
            lock.acquire(patience)
            _held_lock = lock


def release_single_process_lock() -> None:
    global _held_lock
    if _held_lock is not None:
        _held_lock.release()
        _held_lock = None


class SingleProcessMiddleware:
    """ASGI middleware that takes the lock at the first call, for a plain Daphne; `serve` has it.

    If another process holds the lock, it logs the sentence and ends this process by SIGTERM.
    """

    def __init__(self, application: Any) -> None:
        self.application = application
        self._has_checked = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if not self._has_checked:
            try:
                await asyncio.to_thread(hold_single_process_lock, 10.0)
                self._has_checked = True
            except DatabaseAlreadyServed as refusal:
                logger.critical("%s", refusal)
                os.kill(os.getpid(), signal.SIGTERM)
                raise
            except (psycopg.OperationalError, OperationalError):
                logger.warning("no database yet, so no single-process lock")
        await self.application(scope, receive, send)
