"""Keep tasks running while pages are open: log and count each failure, then start again."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

RESTART_PAUSE = 1.0  # Seconds before a failed task starts again

failures: Counter[str] = Counter()  # How often each task failed since this process started


async def keep_running(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Run the task, and again after each failure, until it returns or is cancelled."""
    while True:
        try:
            await work()
        except Exception:
            failures[name] += 1
            log.exception("%s failed (failure %d) and will start again", name, failures[name])
            await asyncio.sleep(RESTART_PAUSE)
        else:
            return
