"""How busy the machine's processors are, and with which programs."""

from __future__ import annotations

import time
from collections import Counter

import psutil


class Busy:
    """Counts from its making. `roots` are the processes whose programs are told apart, with all
    that they have started."""

    def __init__(self, *roots: int) -> None:
        self._roots = roots
        self._begun = time.monotonic()
        self._all = used_by_all()
        self._before = self._used()

    def _used(self) -> Counter[str]:
        used: Counter[str] = Counter()
        for root in self._roots:
            parent = psutil.Process(root)
            for process in (parent, *parent.children(recursive=True)):
                try:
                    times = process.cpu_times()
                    used[process.name().split(":")[0]] += times.user + times.system
                except psutil.NoSuchProcess:
                    continue
        return used

    def report(self, **others: float) -> str:
        """Processors kept busy since then, by program; `others` adds seconds that were counted
        elsewhere. What remains of the machine's is somebody else's."""
        seconds = time.monotonic() - self._begun
        everything = used_by_all() - self._all
        ours = {name: used - self._before[name] for name, used in self._used().items()} | others
        told = [
            f"{name} {used / seconds:.2f}"
            for name, used in sorted(ours.items(), key=lambda one: -one[1])
            if used / seconds >= 0.01
        ]
        rest = max(0.0, everything - sum(ours.values())) / seconds
        return (
            f"{everything / seconds:.2f} of {psutil.cpu_count()} processors busy:"
            f" {', '.join(told)}, anything else {rest:.2f}"
        )


def used_by_all() -> float:
    """Seconds that all of this machine's processors have worked so far."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0))
