"""Measure how busy the machine's processors are, and with which programs."""

from __future__ import annotations

import time
from collections import Counter

import psutil


class ProcessorMeter:
    """Count processor time from its creation.

    The programs of `root_pids` and of the processes that they started are reported separately.
    """

    def __init__(self, *root_pids: int) -> None:
        self._root_pids = root_pids
        self._started_at = time.monotonic()
        self._all_before = processor_seconds()
        self._own_before = self._seconds_by_program()

    def _seconds_by_program(self) -> Counter[str]:
        used: Counter[str] = Counter()
        for root in self._root_pids:
            parent = psutil.Process(root)
            for process in (parent, *parent.children(recursive=True)):
                try:
                    times = process.cpu_times()
                    used[process.name().split(":")[0]] += times.user + times.system
                except psutil.NoSuchProcess:
                    continue
        return used

    def report(self, **others: float) -> str:
        """Describe how many processors were busy, by program.

        `others` adds seconds that were counted elsewhere. The rest belongs to other programs.
        """
        seconds = time.monotonic() - self._started_at
        total = processor_seconds() - self._all_before
        ours = {
            name: used - self._own_before[name]
            for name, used in self._seconds_by_program().items()
        } | others
        parts = [
            f"{name} {used / seconds:.2f}"
            for name, used in sorted(ours.items(), key=lambda one: -one[1])
            if used / seconds >= 0.01
        ]
        rest = max(0.0, total - sum(ours.values())) / seconds
        return (
            f"{total / seconds:.2f} of {psutil.cpu_count()} processors busy:"
            f" {', '.join(parts)}, anything else {rest:.2f}"
        )


def processor_seconds() -> float:
    """Return the seconds that all processors of this machine have worked so far."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0))
