"""Jobs only, for a house of several processes."""

import asyncio
import signal
from typing import Any

from django.core.management import BaseCommand

from config.ending import end_at_last
from config.worker import run_worker


class Command(BaseCommand):
    help = "Run jobs. Unlike `procrastinate worker`, jobs defer others inside their transaction."

    def handle(self, *args: Any, **options: Any) -> None:
        asyncio.run(_until_stopped())


async def _until_stopped() -> None:
    loop = asyncio.get_running_loop()
    working = loop.create_task(run_worker())
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop, working)
    await asyncio.wait([working])


def _stop(working: asyncio.Task[None]) -> None:
    end_at_last()
    working.cancel()
