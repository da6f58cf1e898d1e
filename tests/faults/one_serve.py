"""Run one `manage.py serve` with its embedded database and the far end, without a proxy."""

from __future__ import annotations

import os
import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from config.embedded.paths import database_url
from tests.bench.server import OWN_NAMES
from tests.far_end_client import FarEnd
from tests.faults.sites import Site, write_cast
from tests.stack import Stack, free_port, start_stack, stop_stack, wait_until_ready


@dataclass
class Serve:
    stack: Stack
    data: Path

    @property
    def url(self) -> str:
        return self.stack.url

    @property
    def port(self) -> int:
        return self.stack.port

    @property
    def process(self) -> subprocess.Popen[bytes]:
        return self.stack.process

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(database_url(self.data), autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []


@contextmanager
def one_serve(threads: int, members: int) -> Iterator[Site]:
    with tempfile.TemporaryDirectory(prefix="partyline-serve-") as folder:
        far_end = FarEnd(Path(folder) / "ledger.jsonl")
        data = Path(folder) / "var"
        settings = {
            "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
            "TWILIO_API_URL": far_end.url,
            "CARRIER_TIMEOUT": "3",
            "PARTYLINE_DEMO": "0",
            "PARTYLINE_DATA": str(data),
            "HOST": "127.0.0.1",
            "PORT": str(free_port()),
        }
        kept = {name: value for name, value in os.environ.items() if name not in OWN_NAMES}
        stack = start_stack(kept | settings)
        try:
            wait_until_ready(stack)
            full_settings = settings | {"DATABASE_URL": database_url(data), "DB_POOL_SIZE": "0"}
            written = write_cast(full_settings, threads, members)
            trust = ssl.create_default_context()
            yield Site(Serve(stack, data), far_end, trust=trust, settings=full_settings, **written)
        finally:
            stop_stack(stack)
            far_end.stop()
