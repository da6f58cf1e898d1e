"""Without Redis, bells ring inside one process only, so a second process on the same database
would leave its pages stale. An advisory lock in PostgreSQL keeps it out."""

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


class NotAlone(Exception):
    """Another process holds the lock. Its text is for the administrator."""


class _Lock:
    """Held by a connection of its own, which a thread watches and replaces when it dies."""

    def __init__(self) -> None:
        self._connection: psycopg.Connection[Any] | None = None
        self._closing = threading.Event()

    def take(self, patience: float) -> None:
        deadline = time.monotonic() + patience
        while not self._try():
            if time.monotonic() > deadline:
                raise NotAlone(REFUSAL)
            time.sleep(0.25)
        threading.Thread(target=self._watch, name="single-process-lock", daemon=True).start()

    def release(self) -> None:
        self._closing.set()
        if self._connection is not None:
            self._connection.close()

    def _try(self) -> bool:
        connection = psycopg.connect(**connector_params(), autocommit=True)
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", [_KEY]).fetchone()
        if row is not None and row[0]:
            self._connection = connection
            return True
        connection.close()
        return False

    def _watch(self) -> None:
        while not self._closing.wait(_WATCH_SECONDS):
            try:
                if self._connection is not None:
                    self._connection.execute("SELECT 1")
                    continue
                if self._try():
                    logger.info("holds the single-process lock again")
                else:
                    logger.critical("lost the single-process lock to another process: %s", REFUSAL)
            except (psycopg.Error, OperationalError):
                if self._connection is not None:
                    logger.warning("the single-process lock is gone with its connection")
                self._connection = None


_held: _Lock | None = None
_holding = threading.Lock()


def hold_single_process_lock(patience: float = 3.0) -> None:
    """Hold the lock until this process ends. Needs no lock, and takes none, where REDIS_URL is
    set. `patience` is how many seconds a predecessor gets to go away. Raises NotAlone, or
    psycopg's and Django's OperationalError."""
    global _held
    if settings.REDIS_URL or not settings.SINGLE_PROCESS_LOCK:
        return
    with _holding:
        if _held is None:
            lock = _Lock()
            lock.take(patience)
            _held = lock


def release_single_process_lock() -> None:
    global _held
    if _held is not None:
        _held.release()
        _held = None


class AlonePlease:
    """Takes the lock at the first call, for a plain Daphne; `serve` has it by then.

    Where it cannot be had, the sentence is logged and the process ends as by SIGTERM.
    """

    def __init__(self, application: Any) -> None:
        self.application = application
        self._is_sure = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if not self._is_sure:
            try:
                await asyncio.to_thread(hold_single_process_lock, 10.0)
                self._is_sure = True
            except NotAlone as refusal:
                logger.critical("%s", refusal)
                os.kill(os.getpid(), signal.SIGTERM)
                raise
            except (psycopg.OperationalError, OperationalError):
                logger.warning("no database yet, so no single-process lock")
        await self.application(scope, receive, send)
