"""Kill the worker at each point of a delivery, and compare two ledgers afterwards.

One is what the far end accepted, the other what our database says about it.
"""

from __future__ import annotations

from pathlib import Path

from messaging.models import Attempt, Message
from tests.cast import Cast
from tests.far_end_client import FarEnd, far_end
from tests.messaging.stepped_worker import (
    assert_never_doubled,
    attempt_states,
    carrier,
    message_states,
    texts_at,
)
from tests.messaging.worker_process import POINTS
from tests.messaging.worker_processes import run_workers, wait_until

__all__ = ["carrier", "far_end"]

ENDS = {
    "claim": "sent",
    "committed": "unknown",
    "written": "unknown",
    "answered": "unknown",
    "recorded": "sent",
}
TAKEN = {"claim": 1, "committed": 0, "written": 1, "answered": 1, "recorded": 1}


def test_no_text_is_lost_or_doubled_wherever_the_worker_is_killed(
    carrier: FarEnd, cast: Cast, tmp_path: Path
) -> None:
    texts: dict[str, tuple[Message, Message]] = {}
    for number, point in enumerate(POINTS):
        thread = cast.thread(sender=f"+1202555030{number}")
        if point == "written":
            carrier.plan({"kind": "slow", "seconds": 3}, to=thread.contact.address)
        texts[point] = (
            cast.answer(thread, f"die at {point}"),
            cast.answer(thread, f"after {point}"),
        )
    with run_workers(carrier, tmp_path / "workers.log", *POINTS) as log:
        wait_until(lambda: is_settled() and log.read_text().count(" killed\n") == 5, log)

    assert [line for line in log.read_text().splitlines() if line.endswith(" killed")] == [
        f"{point} killed" for point in POINTS
    ]
    taken = texts_at(carrier, taken=True)
    for point, (first, second) in texts.items():
        assert (point, *message_states(first, second)) == (point, ENDS[point], "sent")
        assert attempt_states(first) == [ENDS[point]]
        assert attempt_states(second) == ["sent"]
        assert (point, taken.count(first.body)) == (point, TAKEN[point])
        assert taken.count(second.body) == 1
    assert_never_doubled(carrier)
    assert_ledgers_agree(carrier)


def is_settled() -> bool:
    return not Message.objects.filter(kind="outbound", state__in=["queued", "sending"]).exists()


def assert_ledgers_agree(far_end: FarEnd) -> None:
    """Check that each call at the far end is an attempt of ours, and that each sent attempt is
    there with the same id."""
    calls = {entry["attempt"]: entry for entry in far_end.ledger()}
    ours = {str(attempt.token): attempt for attempt in Attempt.objects.all()}
    assert calls.keys() <= ours.keys()
    for token, attempt in ours.items():
        assert attempt.state in {"sent", "unknown"}
        if attempt.state == "sent":
            assert calls[token]["id"] == attempt.carrier_message_id
