"""The cluster, the carriers' far end and the cast: what every experiment stands on."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, urlencode

import httpx

from tests.far_end import twilio_signature
from tests.far_end_client import FarEnd
from tests.running_cluster import RunningCluster, running_cluster
from tests.stack import ROOT

FORM = "application/x-www-form-urlencoded; charset=UTF-8"
LINES = 8
PATIENCE = 180.0
"""Seconds for what a fault has held up to be done in the end."""


@dataclass(frozen=True)
class Call:
    """A carrier's webhook. `name` is what the ledgers know it by."""

    name: str
    path: str
    body: bytes
    headers: dict[str, str]


@dataclass
class Told:
    """What the callers were told: the third ledger."""

    accepted: set[str] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)
    slowest: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, name: str, status: int, seconds: float) -> None:
        """Status 0: the line broke."""
        with self._lock:
            self.statuses[status] += 1
            self.slowest = max(self.slowest, seconds)
            if 200 <= status < 300:
                self.accepted.add(name)

    @property
    def refused(self) -> int:
        return sum(count for status, count in self.statuses.items() if not 200 <= status < 300)


@dataclass(frozen=True)
class Member:
    """A colleague in Front Desk beside the cast. `cookie` is the header of their browser."""

    pk: int
    seq: int
    name: str
    cookie: str

    @property
    def cookies(self) -> dict[str, str]:
        return dict(part.split("=", 1) for part in self.cookie.split("; "))


class Program(Protocol):
    """One `serve`, or a cluster."""

    data: Path

    @property
    def url(self) -> str: ...

    @property
    def port(self) -> int: ...

    @property
    def process(self) -> subprocess.Popen[bytes]: ...

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]: ...


@dataclass
class Site:
    """A running Partyline that stands on the far end, with the cast in it."""

    program: Program
    far_end: FarEnd
    webhook_path: str
    number: str
    secret: str
    threads: list[tuple[int, str]]
    cookies: dict[str, str]
    trust: ssl.SSLContext
    settings: dict[str, str]
    """The environment of one more process that belongs to it."""
    inbox: int
    """Front Desk's key."""
    members: list[Member]
    administrator: dict[str, str]
    """The cookies of a superuser's browser."""

    @property
    def cafile(self) -> str | None:
        """Of the certificate; None without TLS."""
        path = self.program.data / "nginx/fullchain.pem"
        return str(path) if path.exists() else None

    @property
    def tls(self) -> ssl.SSLContext | None:
        return self.trust if self.program.url.startswith("https") else None

    def client(self, **options: Any) -> httpx.Client:
        return httpx.Client(
            base_url=self.program.url, verify=self.trust, trust_env=False, timeout=40, **options
        )

    @contextmanager
    def browser(self) -> Iterator[httpx.Client]:
        """One in which ana is signed in."""
        with self.client(cookies=self.cookies, headers={"Origin": self.program.url}) as one:
            one.get("/settings/").raise_for_status()
            yield one

    def page(self, member: Member, thread: int) -> dict[str, str]:
        """Path and cookie of the socket of a page that shows a thread beside Front Desk's list,
        up to date."""
        seq = self.one("SELECT seq FROM inboxes_inbox WHERE id = %s", self.inbox)
        seqs = {f"l{self.inbox}": seq, f"t{thread}": seq, f"a{member.pk}": member.seq}
        look = {"list": self.inbox, "thread": thread, "seqs": seqs}
        return {"path": f"/live/?look={quote(json.dumps(look))}", "cookie": member.cookie}

    def text(
        self, name: str, body: str, *, sender: str = "+13035550000", to: str | None = None
    ) -> Call:
        fields = {
            "MessageSid": name,
            "SmsStatus": "received",
            "From": sender,
            "To": to or self.number,
            "Body": body,
            "NumMedia": "0",
        }
        return self.call(name, fields)

    def receipt(self, name: str, message_id: str, state: str, token: str) -> Call:
        return self.call(name, {"MessageSid": message_id, "MessageStatus": state}, token)

    def call(self, name: str, fields: dict[str, str], token: str = "") -> Call:
        path = self.webhook_path + (f"{token}/" if token else "")
        mark = twilio_signature(self.secret, self.program.url + path, fields)
        headers = {"Content-Type": FORM, "X-Twilio-Signature": mark}
        return Call(name, path, urlencode(fields).encode(), headers)

    def send(self, browser: httpx.Client, thread: int, body: str, *, clicks: int = 1) -> None:
        """Write a text in a thread by the page's form, until the answer says that it was taken;
        every repetition carries the form's own key."""
        form = {
            "body": body,
            "form_key": str(uuid.uuid4()),
            "csrfmiddlewaretoken": csrf_token(browser),
        }
        while clicks:
            try:
                answer = browser.post(f"/threads/{thread}/messages/", data=form)
            except httpx.TransportError:
                time.sleep(0.2)
                continue
            if answer.status_code in {500, 502, 503, 504}:
                time.sleep(0.2)
                continue
            assert answer.status_code == 302, answer.status_code
            clicks -= 1

    def one(self, statement: str, *values: object) -> int:
        return int(self.program.sql(statement, *values)[0][0])

    def wait_until(self, is_so: Callable[[], bool], seconds: float = PATIENCE) -> float:
        begun = time.monotonic()
        while not is_so():
            assert time.monotonic() < begun + seconds, f"not within {seconds} s"
            time.sleep(0.2)
        return time.monotonic() - begun


@dataclass
class Ground(Site):
    """A site that is a cluster, whose processes can be killed."""

    cluster: RunningCluster


def csrf_token(browser: httpx.Client) -> str:
    """Of the cookie, whose name is another one with TLS."""
    return next(value for name, value in browser.cookies.items() if name.endswith("csrftoken"))


def repeat(ground: Ground, calls: list[Call], told: Told, lines: int = LINES) -> None:
    """Send each call until it gets a 2xx, as a patient carrier does, over some lines at once."""
    end = time.monotonic() + 10 * PATIENCE

    def insist(call: Call, http: httpx.Client) -> None:
        while True:
            begun = time.monotonic()
            try:
                status = http.post(call.path, content=call.body, headers=call.headers).status_code
            except httpx.TransportError:
                status = 0
            told.note(call.name, status, time.monotonic() - begun)
            if 200 <= status < 300:
                return
            assert status not in {400, 403, 404, 413}, f"{call.name}: {status}"
            assert time.monotonic() < end, f"{call.name} is never taken"
            time.sleep(0.1)

    waiting = list(reversed(calls))

    def work() -> None:
        with ground.client() as http:
            while waiting:
                try:
                    call = waiting.pop()
                except IndexError:
                    return
                insist(call, http)

    with ThreadPoolExecutor(lines) as pool:
        for done in [pool.submit(work) for _ in range(lines)]:
            done.result()


@contextmanager
def meanwhile(deed: Callable[[threading.Event], None]) -> Iterator[None]:
    """Run it beside the block, at whose end its event is set. What it raises is raised."""
    is_over = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(deed, is_over)
        try:
            yield
        finally:
            is_over.set()
        done.result()


@contextmanager
def ground(threads: int = 10, members: int = 0, **changes: str) -> Iterator[Ground]:
    with tempfile.TemporaryDirectory(prefix="partyline-far-end-") as folder:
        far_end = FarEnd(Path(folder) / "ledger.jsonl")
        settings = {
            "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
            "TWILIO_API_URL": far_end.url,
            "CARRIER_TIMEOUT": "3",
            "PARTYLINE_DEMO": "0",
            "CLUSTER_TLS": "1",
            "ADMIN_SECOND_FACTOR": "0",
            # Not what a test or a shell may have set: its own, as a server makes and finds them.
            "SECRET_KEY": "",
            "FIELD_KEYS": "",
            "ALLOWED_HOSTS": "",
        } | changes
        try:
            with running_cluster(**settings) as cluster:
                own = settings | cluster.environment
                made = furnish(own, threads, members)
                yield Ground(
                    cluster, far_end, trust=_trust(cluster), settings=own, **made, cluster=cluster
                )
        finally:
            far_end.stop()


def furnish(environment: dict[str, str], threads: int, members: int) -> dict[str, Any]:
    """Write the cast into the database that the environment names; what `Site` takes of it."""
    told = subprocess.run(
        [sys.executable, "-m", "tests.faults.furniture", str(threads), str(members)],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        check=True,
    )
    made: dict[str, Any] = json.loads(told.stdout)
    made["threads"] = [(number, address) for number, address in made["threads"]]
    made["members"] = [Member(**one) for one in made["members"]]
    return made


def _trust(cluster: RunningCluster) -> ssl.SSLContext:
    certificate = cluster.data / "nginx/fullchain.pem"
    return ssl.create_default_context(cafile=certificate if certificate.exists() else None)
