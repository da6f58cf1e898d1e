"""The jobs' worker inside somebody else's event loop, kept alive."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import close_old_connections
from procrastinate import App, PsycopgConnector
from procrastinate.contrib.django import app
from procrastinate.contrib.django.utils import connector_params

logger = logging.getLogger(__name__)

GRACE_SECONDS = 3.0
_LONGEST_PAUSE = 5.0


def worker_app() -> App:
    """The same tasks on the worker's own connections.

    Not `replace_connector`: that would move the whole process off Django's connection, and a job
    deferred inside `transaction.atomic()`, by a view or by another job, would then be committed
    apart from the rows it speaks of.
    """
    return app.with_connector(
        PsycopgConnector(
            kwargs=connector_params(),
            min_size=1,
            # Fetching, listening, heartbeat and the periodic deferrer need some beside the jobs.
            max_size=settings.WORKER_CONCURRENCY + 4,
            timeout=5,
            reconnect_timeout=4,
        )
    )


async def run_worker() -> None:
    """Work until cancelled. Ends of any other kind (the database restarted) begin again."""
    # Jobs run in the loop's threads, of which there would be as many as processors and four.
    threads = ThreadPoolExecutor(settings.WORKER_CONCURRENCY + 4, thread_name_prefix="job")
    asyncio.get_running_loop().set_default_executor(threads)
    pause = 0.5
    while True:
        started = asyncio.get_running_loop().time()
        try:
            # The periodic jobs are deferred on Django's own connection, which nobody else would
            # replace here: no request begins or ends in a worker's process.
            await sync_to_async(close_old_connections)()
            working = worker_app()
            async with working.open_async():
                await working.run_worker_async(
                    install_signal_handlers=False,
                    concurrency=settings.WORKER_CONCURRENCY,
                    fetch_job_polling_interval=1.0,
                    update_heartbeat_interval=5.0,
                    stalled_worker_timeout=15.0,
                    shutdown_graceful_timeout=GRACE_SECONDS,
                    delete_jobs="successful",
                )
            logger.warning("the worker stopped by itself and starts again")
        except Exception as error:
            logger.warning("the worker ended (%s) and starts again", type(error).__name__)
            logger.debug("how the worker ended", exc_info=True)
        if (task := asyncio.current_task()) is not None and task.cancelling():
            # While the worker opens its connections, being cancelled looks like a broken one.
            raise asyncio.CancelledError
        if asyncio.get_running_loop().time() - started > 30:
            pause = 0.5
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
