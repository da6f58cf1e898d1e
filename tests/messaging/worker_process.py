"""Workers as processes of their own that die on command, for the crash tests.

    python -m tests.messaging.worker_process POINT…

runs `manage.py worker` once for each POINT, one after the other, each in a process that kills
itself with -9 at that point of the delivery of a text that says "die at POINT"; then a whole one
that stays. (At "turned" a number has given turns; "planned" and "gone" lie before and behind the
commit that makes a message of a text for later.) Time runs faster: waits are short and the reaper
comes every second. With a POINT, one worker lives at a time, and whichever is silent for a second
counts as dead.
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


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_before(module: Any, name: str, is_it: Callable[..., bool]) -> None:
    deed = getattr(module, name)

    def doomed(*arguments: Any) -> Any:
        if is_it(*arguments):
            die()
        return deed(*arguments)

    setattr(module, name, doomed)


def die_after(module: Any, name: str, is_it: Callable[..., bool]) -> None:
    deed = getattr(module, name)

    def doomed(*arguments: Any, **named: Any) -> Any:
        done = deed(*arguments, **named)
        if is_it(*arguments):
            die()
        return done

    setattr(module, name, doomed)


def die_during(module: Any, name: str, is_it: Callable[..., bool], last_words: str) -> None:
    deed = getattr(module, name)

    def doomed(*arguments: Any) -> Any:
        if is_it(*arguments):
            threading.Thread(target=die_once_written, args=[last_words]).start()
        return deed(*arguments)

    setattr(module, name, doomed)


def arm(point: str) -> None:
    """Have this process die at the point."""
    from messaging.outbound import delivery

    last_words = f"die at {point}"

    def is_next(thread: Any) -> bool:
        first = thread.messages.filter(kind="outbound", state="queued").order_by("pk").first()
        return first is not None and first.body == last_words

    def is_this(attempt: Any, *rest: Any) -> bool:
        return bool(attempt.message.body == last_words)

    match point:
        case "claim":
            die_before(delivery, "_claim_next_attempt", is_next)
        case "committed":
            die_before(delivery, "_call_carrier", is_this)
        case "written":
            die_during(delivery, "_call_carrier", is_this, last_words)
        case "answered":
            die_before(delivery, "write_outcome", is_this)
        case "recorded":
            die_after(delivery, "write_outcome", is_this)
        case _:
            arm_around(point)


def arm_around(point: str) -> None:
    """Where no delivery is under way."""
    from messaging import tasks
    from messaging.outbound import pacing, scheduling

    places: dict[str, tuple[Any, str]] = {
        "turned": (pacing, "give_turns"),
        "planned": (scheduling, "queue"),
        "gone": (tasks, "send_if_due"),
    }
    die_after(*places[point], lambda *_: True)


def die_once_written(body: str) -> None:
    """The far end has noted the text, and does not answer yet."""
    ledger = Path(os.environ["FAR_END_LEDGER"])
    while not (ledger.exists() and body in ledger.read_text()):
        time.sleep(0.01)
    die()


def hurry(stalled_after: timedelta | None) -> None:
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
    settings.PUSH_ANYWHERE = bool(os.environ["PUSH_ANYWHERE"])
    hurry(timedelta(seconds=1) if points else None)
    for point in points:
        child = os.fork()
        if child == 0:
            arm(point)
            call_command("worker")
            os._exit(1)  # it was to die
        _, status = os.waitpid(child, 0)
        print(point, "killed" if os.WTERMSIG(status) == signal.SIGKILL else status, flush=True)
    call_command("worker")


if __name__ == "__main__":
    main(sys.argv[1:])
