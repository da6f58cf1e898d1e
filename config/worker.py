"""The workers that run jobs, restarted when they end, in the event loop of their caller."""

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

from messaging.stream.jobs import EMAILS, NOTIFICATIONS, TEXTS, queues

logger = logging.getLogger(__name__)

GRACE_SECONDS = 3.0
# Jobs that call push services at once. They mostly wait, and one agent takes one slot at most.
NOTIFICATION_SLOTS = 4
# E-mails sent at once.
EMAIL_SLOTS = 2

_MAX_PAUSE_SECONDS = 5.0


def build_worker_app(queue: str, connections: int) -> App:
    """Return the app with the worker's own connections and the periodic tasks of one queue.

    `replace_connector` would move the whole process off Django's connection. A job that a view or
    another job defers inside `transaction.atomic()` would then be committed apart from its rows.
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
    # Only the worker of its queue defers a periodic task: two deferrers in one process would share
    # the iterators. Each queue has some: without any, procrastinate would stop supervising the
    # worker's heartbeat and listener.
    own = PeriodicRegistry()  # type: ignore[no-untyped-call]  # procrastinate's own gap
    own.periodic_tasks = {
        key: one
        for key, one in app.periodic_registry.periodic_tasks.items()
        if one.task.queue == queue
    }
    working.periodic_registry = own
    return working


async def run_worker() -> None:
    """Run the queues until cancelled: texts, browser notifications and e-mails, each in slots of
    its own.

    None waits for another, or ends with it.
    """
    slots = {TEXTS: settings.WORKER_CONCURRENCY, NOTIFICATIONS: NOTIFICATION_SLOTS}
    if EMAILS in queues():
        slots[EMAILS] = EMAIL_SLOTS
    # Jobs run in the loop's threads; by default there are only four more than processors.
    threads = ThreadPoolExecutor(sum(slots.values()) + 4, thread_name_prefix="job")
    asyncio.get_running_loop().set_default_executor(threads)
    async with asyncio.TaskGroup() as working:
        for queue, count in slots.items():
            # Fetching, heartbeat and the periodic deferrer need connections beside those of the
            # jobs, whose texts come often.
            connections = count + 4 if queue == TEXTS else 3
            working.create_task(_work_until_cancelled(queue, slots=count, connections=connections))


async def _work_until_cancelled(queue: str, *, slots: int, connections: int) -> None:
    """Run a queue's jobs until cancelled; start again after any other end, such as a restart of
    the database."""
    pause = 0.5
    while True:
        started = asyncio.get_running_loop().time()
        try:
            # Periodic jobs are deferred on Django's own connection. Nothing else closes a broken
            # one here, because no request begins or ends in a worker's process.
            await sync_to_async(close_old_connections)()
            working = build_worker_app(queue, connections)
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
            # While the worker opens its connections, a cancellation looks like a broken one.
            raise asyncio.CancelledError
        if asyncio.get_running_loop().time() - started > 30:
            pause = 0.5
        await asyncio.sleep(pause)
        pause = min(pause * 2, _MAX_PAUSE_SECONDS)
