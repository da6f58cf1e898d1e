"""Start, steer and read the carriers' far end (`far_end.py`), a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

PROGRAM = Path(__file__).with_name("far_end.py")


class FarEnd:
    """Steer a running far end; `url` is what TWILIO_API_URL is set to in tests."""

    def __init__(self, ledger: Path, port: int = 0) -> None:
        self.path = ledger
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(ledger), str(port)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.startswith("listening on "):
            raise RuntimeError("The far end did not start.")
        self.port = int(line.rsplit(" ", 1)[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.http = httpx.Client(base_url=self.url, timeout=15, trust_env=False)

    def stop(self) -> None:
        """End the process; connecting to its port is refused from then on."""
        self.http.close()
        self.process.terminate()
        self.process.wait(10)
        if self.process.stdout is not None:
            self.process.stdout.close()

    def plan(self, *answers: dict[str, Any], to: str | None = None) -> None:
        """Say what the next requests get, one answer each; with `to`, those to that number."""
        self._control("plan", {"answers": list(answers)} | ({"to": to} if to else {}))

    def plan_default(self, answer: dict[str, Any]) -> None:
        self._control("plan", {"default": answer})

    def set_receipts(
        self,
        *,
        secret: str,
        deliver_to: str = "",
        automatic: list[tuple[float, str]] | None = None,
    ) -> None:
        """Set the webhook secret, where webhooks really go, and the automatic receipts."""
        order = {"secret": secret, "deliver_to": deliver_to, "automatic": automatic or []}
        self._control("receipts", order)

    def report(self, message_id: str, state: str, code: str = "") -> int:
        """Send one receipt now and return the status that the webhook got."""
        answer = self._control("report", {"id": message_id, "state": state, "code": code})
        return int(answer["status"])

    def text_in_unseen(
        self, message_id: str, sender: str, to: str, text: str, at: datetime
    ) -> None:
        """Put a text to us into the carrier's log without posting its webhook."""
        said = {"id": message_id, "from": sender, "to": to, "text": text, "at": at.timestamp()}
        self._control("inbound", said)

    def add_number(self, address: str, **more: Any) -> None:
        """Add a number to the account; `more` is what `NumberFarEnd.add` takes."""
        self._control("numbers/add", {"address": address, **more})

    def fail_numbers(self, kind: str, **more: Any) -> None:
        """Plan what goes wrong with the numbers' next request; see `NumberFarEnd.fail`."""
        self._control("numbers/fail", {"kind": kind, **more})

    def change_number(self, address: str, url: str) -> None:
        """Set where a number's texts go, as somebody at the carrier's console does."""
        self._control("numbers/elsewhere", {"address": address, "url": url})

    def url_of_number(self, address: str) -> str:
        """Return where a number's texts go."""
        answer = self.http.get("/control/numbers/url", params={"address": address})
        return str(answer.raise_for_status().json()["url"])

    def answer_questions_with(self, status: int) -> None:
        """Answer questions with this status from now on; 200 answers what is asked."""
        self._control("log", {"status": status})

    def ledger(self, event: str = "text") -> list[dict[str, Any]]:
        """Return all texts received ("text"), receipts sent ("receipt") or questions asked
        ("question").

        The oldest comes first.
        """
        if not self.path.exists():
            return []
        entries = [json.loads(line) for line in self.path.read_text().splitlines()]
        return [entry for entry in entries if entry["event"] == event]

    def wait_for(
        self, count: int, event: str = "text", seconds: float = 10
    ) -> list[dict[str, Any]]:
        """Return the ledger once it has `count` entries."""
        deadline = time.monotonic() + seconds
        while len(found := self.ledger(event)) < count:
            if time.monotonic() > deadline:
                raise AssertionError(f"{len(found)} of {count} {event} entries came")
            time.sleep(0.02)
        return found

    def _control(self, name: str, order: dict[str, Any]) -> dict[str, Any]:
        response = self.http.post(f"/control/{name}", json=order)
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer


@pytest.fixture
def far_end(tmp_path: Path) -> Iterator[FarEnd]:
    """Start a far end for the test. Import this fixture to use it."""
    running = FarEnd(tmp_path / "far_end.jsonl")
    yield running
    running.stop()
