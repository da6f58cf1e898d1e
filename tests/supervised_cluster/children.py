"""Start processes, keep them running, and end them by pid, never by name."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

GRACE = 10.0  # Seconds between SIGTERM and kill -9, as the units' TimeoutStopSec
RESTART_PAUSE = 1.0  # Seconds, as the units' RestartSec


@dataclass
class Child:
    name: str
    command: list[str]
    environment: dict[str, str]
    folder: Path
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _ended_at: float | None = field(default=None, init=False)

    def start(self) -> None:
        # Should this program itself be killed with -9, the kernel ends its children.
        guard = ["setpriv", "--pdeathsig", "TERM", "--"] if shutil.which("setpriv") else []
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*guard, *self.command],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,  # Ctrl-C in a terminal is for this program alone
            )
        self._ended_at = None

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process is not None and self.is_running else None

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def is_due(self) -> bool:
        """Return True if it ended without being told, long enough ago to be started again."""
        if self.is_running:
            return False
        self._ended_at = self._ended_at or time.monotonic()
        return time.monotonic() > self._ended_at + RESTART_PAUSE

    def tell(self, number: int) -> None:
        if self.process is not None and self.is_running:
            self.process.send_signal(number)

    def wait(self, until: float) -> None:
        """Wait until it ended; kill it at `until`, a time of the monotonic clock."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            # Its children too: a postmaster's would outlive it.
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def stop(children: list[Child], number: int = signal.SIGTERM) -> None:
    """Signal all, then wait for all."""
    until = time.monotonic() + GRACE
    for child in children:
        child.tell(number)
    for child in children:
        child.wait(until)
