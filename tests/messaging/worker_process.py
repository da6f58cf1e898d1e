"""Run workers that kill themselves at given points, for the crash tests.

    python -m tests.messaging.worker_process POINT…

runs `manage.py worker` once for each POINT, one after the other. Each process kills itself with
SIGKILL at that point in the delivery of a text whose body is "die at POINT". A worker that is not
killed follows them.

At "turned" a number has just given turns. "planned" and "gone" are just before and just after the
commit that turns a scheduled text into a message. "lines read", "half written", "lines written",
"half taken back" and "lines taken back" are in an import of contacts.

Waits are short and the reaper runs every second. With a POINT, a worker without a heartbeat for a
second counts as dead.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

POINTS = ["claim", "committed", "written", "answered", "recorded"]


def kill_self() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def kill_before(module: Any, name: str, is_due: Callable[..., bool]) -> None:
    original = getattr(module, name)

    def replacement(*arguments: Any) -> Any:
        if is_due(*arguments):
            kill_self()
        return original(*arguments)

    setattr(module, name, replacement)


def kill_after(module: Any, name: str, is_due: Callable[..., bool]) -> None:
    original = getattr(module, name)

    def replacement(*arguments: Any, **named: Any) -> Any:
        done = original(*arguments, **named)
        if is_due(*arguments):
            kill_self()
        return done

    setattr(module, name, replacement)


def kill_during(module: Any, name: str, is_due: Callable[..., bool], body: str) -> None:
    original = getattr(module, name)

    def replacement(*arguments: Any) -> Any:
        if is_due(*arguments):
            threading.Thread(target=kill_once_written, args=[body]).start()
        return original(*arguments)

    setattr(module, name, replacement)


def plan_death(point: str) -> None:
    """Make this process kill itself at the point."""
    from messaging.outbound import delivery

    body = f"die at {point}"

    def is_next(thread: Any) -> bool:
        first = thread.messages.filter(kind="outbound", state="queued").order_by("pk").first()
        return first is not None and first.body == body

    def is_this(attempt: Any, *rest: Any) -> bool:
        return bool(attempt.message.body == body)

    match point:
        case "claim":
            kill_before(delivery, "_claim_next_attempt", is_next)
        case "committed":
            kill_before(delivery, "_call_carrier", is_this)
        case "written":
            kill_during(delivery, "_call_carrier", is_this, body)
        case "answered":
            kill_before(delivery, "write_outcome", is_this)
        case "recorded":
            kill_after(delivery, "write_outcome", is_this)
        case _:
            plan_death_outside_delivery(point)


def plan_death_outside_delivery(point: str) -> None:
    """Make this process kill itself at a point where no delivery is under way."""
    from messaging import tasks
    from messaging.contacts.imports import reading, writing
    from messaging.outbound import pacing, scheduled_texts

    # In the middle of a batch of an import, before its commit.
    halves: dict[str, tuple[Any, str]] = {
        "half written": (writing, "_save_lines"),
        "half taken back": (writing, "_take_contacts_back"),
    }
    if point in halves:
        kill_before(*halves[point], lambda *_: True)
        return
    functions: dict[str, tuple[Any, str]] = {
        "turned": (pacing, "give_turns"),
        "planned": (scheduled_texts, "queue_message"),
        "gone": (tasks, "send_if_due"),
        "lines read": (reading, "_write"),
        "lines written": (writing, "write_batch"),
        "lines taken back": (writing, "take_batch_back"),
    }
    kill_after(*functions[point], lambda *_: True)


def kill_once_written(body: str) -> None:
    """Wait until the far end has recorded the text but not answered, then die."""
    ledger = Path(os.environ["FAR_END_LEDGER"])
    while not (ledger.exists() and body in ledger.read_text()):
        time.sleep(0.01)
    kill_self()


def speed_up(stalled_after: timedelta | None) -> None:
    from procrastinate.contrib.django import app

    from messaging import tasks
    from messaging.outbound import delivery

    tasks.STALLED_AFTER = stalled_after or tasks.STALLED_AFTER
    setattr(delivery, "backoff_seconds", lambda _: 0.05)  # noqa: B010 - it is typed
    for task in app.periodic_registry.periodic_tasks.values():
        object.__setattr__(task, "cron", "* * * * * *")


def main(points: list[str]) -> None:
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    settings.TWILIO_API_URL = os.environ["TWILIO_API_URL"]
    settings.MEDIA_ROOT = os.environ["MEDIA_ROOT_OF_TEST"]
    settings.PUSH_ANYWHERE = bool(os.environ["PUSH_ANYWHERE"])
    speed_up(timedelta(seconds=1) if points else None)
    for point in points:
        child = os.fork()
        if child == 0:
            plan_death(point)
            call_command("worker")
            os._exit(1)  # unreachable: the worker kills itself
        _, status = os.waitpid(child, 0)
        print(point, "killed" if os.WTERMSIG(status) == signal.SIGKILL else status, flush=True)
    call_command("worker")


if __name__ == "__main__":
    main(sys.argv[1:])
