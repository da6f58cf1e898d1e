"""Start `worker_process.py` on the test's own database."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.conf import settings
from django.db import connection

from config.embedded.paths import database_url
from tests.databases import postgresql_data
from tests.far_end_client import FarEnd
from tests.stack import ROOT


@contextmanager
def run_workers(
    far_end: FarEnd, log: Path, *points: str, count: int = 1, push_anywhere: bool = False
) -> Iterator[Path]:
    """Run workers whose carrier is the far end, and yield the file that they print to.

    Raises AssertionError if one of them has ended before the block does.
    """
    with log.open("wb") as output:
        running = [_start_worker(far_end, output, points, push_anywhere) for _ in range(count)]
    try:
        yield log
        assert [process.poll() for process in running] == [None] * count, log.read_text()
    finally:
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _start_worker(
    far_end: FarEnd, output: IO[bytes], points: tuple[str, ...], push_anywhere: bool
) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": database_url(postgresql_data(), connection.settings_dict["NAME"]),
        "TWILIO_API_URL": far_end.url,
        "FAR_END_LEDGER": str(far_end.path),
        "CARRIER_TIMEOUT": "5",
        "WORKER_CONCURRENCY": "1" if points else "3",
        "DB_POOL_SIZE": "5",
        "MEDIA_ROOT_OF_TEST": str(settings.MEDIA_ROOT),
        "PUSH_ANYWHERE": "1" if push_anywhere else "",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "tests.messaging.worker_process", *points],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
    )


def wait_until(is_so: Callable[[], bool], log: Path, seconds: float = 30.0) -> float:
    """Return the seconds that it took. Raises AssertionError with what the workers printed."""
    begun = time.monotonic()
    while not is_so():
        if time.monotonic() > begun + seconds:
            raise AssertionError(f"not after {seconds} s:\n{log.read_text(errors='replace')}")
        time.sleep(0.1)
    return time.monotonic() - begun
