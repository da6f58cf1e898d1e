"""The jobs' workers inside somebody else's event loop, kept alive."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import close_old_connections
from procrastinate import App, PsycopgConnector
from procrastinate.contrib.django import app
from procrastinate.contrib.django.utils import connector_params
from procrastinate.periodic import PeriodicRegistry

from messaging.stream.jobs import NOTIFICATIONS, TEXTS

logger = logging.getLogger(__name__)

GRACE_SECONDS = 3.0
NOTIFICATION_SLOTS = 4
"""Calls to push services mostly wait, and those of one agent take one slot at most."""

_LONGEST_PAUSE = 5.0


def worker_app(queue: str, connections: int) -> App:
    """The same tasks on the worker's own connections.

    Not `replace_connector`: that would move the whole process off Django's connection, and a job
    deferred inside `transaction.atomic()`, by a view or by another job, would then be committed
    apart from the rows it speaks of.
    """
    working = app.with_connector(
        PsycopgConnector(
            kwargs=connector_params(),
            min_size=1,
            max_size=connections,
            timeout=5,
            reconnect_timeout=4,
        )
    )
    # What is periodic is deferred by the worker of its queue alone: two deferrers of one process
    # would move the same iterators. Each queue has some: without any, procrastinate would stop
    # looking after the worker's heartbeat and listener.
    own = PeriodicRegistry()  # type: ignore[no-untyped-call]  # procrastinate's own gap
    own.periodic_tasks = {
        key: one
        for key, one in app.periodic_registry.periodic_tasks.items()
        if one.task.queue == queue
    }
    working.periodic_registry = own
    return working


async def run_worker() -> None:
    """Work until cancelled: on texts, and in slots of its own on what wakes browsers. Neither
    waits for the other, or ends with it."""
    texts, notifications = settings.WORKER_CONCURRENCY, NOTIFICATION_SLOTS
    # Jobs run in the loop's threads, of which there would be as many as processors and four.
    threads = ThreadPoolExecutor(texts + notifications + 4, thread_name_prefix="job")
    asyncio.get_running_loop().set_default_executor(threads)
    async with asyncio.TaskGroup() as both:
        # Fetching, heartbeat and the periodic deferrer need some connections beside the jobs.
        both.create_task(_keep_working(TEXTS, slots=texts, connections=texts + 4))
        both.create_task(_keep_working(NOTIFICATIONS, slots=notifications, connections=3))


async def _keep_working(queue: str, *, slots: int, connections: int) -> None:
    """Work until cancelled. Ends of any other kind (the database restarted) begin again."""
    pause = 0.5
    while True:
        started = asyncio.get_running_loop().time()
        try:
            # The periodic jobs are deferred on Django's own connection, which nobody else would
            # replace here: no request begins or ends in a worker's process.
            await sync_to_async(close_old_connections)()
            working = worker_app(queue, connections)
            async with working.open_async():
                await working.run_worker_async(
                    queues=[queue],
                    install_signal_handlers=False,
                    concurrency=slots,
                    fetch_job_polling_interval=1.0,
                    update_heartbeat_interval=5.0,
                    stalled_worker_timeout=15.0,
                    shutdown_graceful_timeout=GRACE_SECONDS,
                    delete_jobs="successful",
                )
            logger.warning("the worker of %s stopped by itself and starts again", queue)
        except Exception as error:
            logger.warning(
                "the worker of %s ended (%s) and starts again", queue, type(error).__name__
            )
            logger.debug("how the worker ended", exc_info=True)
        if (task := asyncio.current_task()) is not None and task.cancelling():
            # While the worker opens its connections, being cancelled looks like a broken one.
            raise asyncio.CancelledError
        if asyncio.get_running_loop().time() - started > 30:
            pause = 0.5
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
