"""Run jobs only, for an installation of several processes."""

import asyncio
import signal
from typing import Any

from config.management.plain import PlainCommand
from config.shutdown import exit_after_deadline
from config.worker import run_worker


class Command(PlainCommand):
    help = "Run jobs only: sending, fetching, notifying."

    def handle(self, *args: Any, **options: Any) -> None:
        self.print_setup_lines()
        asyncio.run(_work_until_stopped())


async def _work_until_stopped() -> None:
    loop = asyncio.get_running_loop()
    working = loop.create_task(run_worker())
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop_worker, working)
    await asyncio.wait([working])


def _stop_worker(working: asyncio.Task[None]) -> None:
    exit_after_deadline()
    working.cancel()
