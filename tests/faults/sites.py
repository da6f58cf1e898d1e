"""Start the installation, the far end and the cast that the experiments need."""

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
CONNECTIONS = 8

# So many seconds may pass until work that a fault has held up is done.
MAX_WAIT = 180.0


@dataclass(frozen=True)
class WebhookCall:
    """Hold a carrier's webhook; `name` identifies it in the ledgers."""

    name: str
    path: str
    body: bytes
    headers: dict[str, str]


@dataclass
class CallerLedger:
    """Record how the webhooks were answered."""

    accepted: set[str] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)
    slowest: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def record_answer(self, name: str, status: int, seconds: float) -> None:
        """Record an answer; status 0 is a broken connection."""
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
    """Hold a member of Front Desk outside the cast; `cookie` is the header of their browser."""

    pk: int
    seq: int
    name: str
    cookie: str

    @property
    def cookies(self) -> dict[str, str]:
        return dict(part.split("=", 1) for part in self.cookie.split("; "))


class Program(Protocol):
    """Represent one `serve` or a cluster."""

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
    """Hold a running installation with the cast, whose carrier is the far end.

    `settings` is the environment of a further process of the installation, `inbox` Front Desk's
    key, and `administrator` the cookies of a superuser's browser.
    """

    program: Program
    far_end: FarEnd
    webhook_path: str
    number: str
    secret: str
    threads: list[tuple[int, str]]
    cookies: dict[str, str]
    trust: ssl.SSLContext
    settings: dict[str, str]
    inbox: int
    members: list[Member]
    administrator: dict[str, str]

    @property
    def cafile(self) -> str | None:
        """Return the path of the certificate, or None without TLS."""
        path = self.program.data / "nginx/fullchain.pem"
        return str(path) if path.exists() else None

    @property
    def tls(self) -> ssl.SSLContext | None:
        return self.trust if self.program.url.startswith("https") else None

    def http_client(self, **options: Any) -> httpx.Client:
        return httpx.Client(
            base_url=self.program.url, verify=self.trust, trust_env=False, timeout=40, **options
        )

    @contextmanager
    def signed_in_browser(self) -> Iterator[httpx.Client]:
        """Yield a browser in which ana is signed in."""
        with self.http_client(
            cookies=self.cookies, headers={"Origin": self.program.url}
        ) as browser:
            browser.get("/settings/").raise_for_status()
            yield browser

    def page_address(self, member: Member, thread: int) -> dict[str, str]:
        """Return path and cookie of the socket of a page that shows Front Desk and a thread."""
        seq = self.fetch_number("SELECT seq FROM inboxes_inbox WHERE id = %s", self.inbox)
        seqs = {f"l{self.inbox}": seq, f"t{thread}": seq, f"a{member.pk}": member.seq}
        view = {"list": self.inbox, "thread": thread, "seqs": seqs}
        return {"path": f"/live/?look={quote(json.dumps(view))}", "cookie": member.cookie}

    def text_call(
        self, name: str, body: str, *, sender: str = "+13035550000", to: str | None = None
    ) -> WebhookCall:
        fields = {
            "MessageSid": name,
            "SmsStatus": "received",
            "From": sender,
            "To": to or self.number,
            "Body": body,
            "NumMedia": "0",
        }
        return self.signed_call(name, fields)

    def receipt_call(self, name: str, message_id: str, state: str, token: str) -> WebhookCall:
        return self.signed_call(name, {"MessageSid": message_id, "MessageStatus": state}, token)

    def signed_call(self, name: str, fields: dict[str, str], token: str = "") -> WebhookCall:
        path = self.webhook_path + (f"{token}/" if token else "")
        signature = twilio_signature(self.secret, self.program.url + path, fields)
        headers = {"Content-Type": FORM, "X-Twilio-Signature": signature}
        return WebhookCall(name, path, urlencode(fields).encode(), headers)

    def send_text(self, browser: httpx.Client, thread: int, body: str, *, clicks: int = 1) -> None:
        """Send a text by the page's form, again and again until the answer accepts it.

        Every repetition carries the same form key.
        """
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

    def fetch_number(self, statement: str, *values: object) -> int:
        return int(self.program.sql(statement, *values)[0][0])

    def wait_until(self, is_so: Callable[[], bool], seconds: float = MAX_WAIT) -> float:
        begun = time.monotonic()
        while not is_so():
            assert time.monotonic() < begun + seconds, f"not within {seconds} s"
            time.sleep(0.2)
        return time.monotonic() - begun


@dataclass
class ClusterSite(Site):
    """Hold a site that is a cluster, whose processes can be killed."""

    cluster: RunningCluster


def csrf_token(browser: httpx.Client) -> str:
    """Return the CSRF token from the cookie, whose name differs with TLS."""
    return next(value for name, value in browser.cookies.items() if name.endswith("csrftoken"))


def call_until_accepted(
    site: ClusterSite,
    calls: list[WebhookCall],
    ledger: CallerLedger,
    connections: int = CONNECTIONS,
) -> None:
    """Send each call until it gets a 2xx, as a patient carrier does, over several connections."""
    end = time.monotonic() + 10 * MAX_WAIT

    def send_until_accepted(call: WebhookCall, http: httpx.Client) -> None:
        while True:
            begun = time.monotonic()
            try:
                status = http.post(call.path, content=call.body, headers=call.headers).status_code
            except httpx.TransportError:
                status = 0
            ledger.record_answer(call.name, status, time.monotonic() - begun)
            if 200 <= status < 300:
                return
            assert status not in {400, 403, 404, 413}, f"{call.name}: {status}"
            assert time.monotonic() < end, f"{call.name} is never accepted"
            time.sleep(0.1)

    waiting = list(reversed(calls))

    def send_waiting() -> None:
        with site.http_client() as http:
            while waiting:
                try:
                    call = waiting.pop()
                except IndexError:
                    return
                send_until_accepted(call, http)

    with ThreadPoolExecutor(connections) as pool:
        for done in [pool.submit(send_waiting) for _ in range(connections)]:
            done.result()


@contextmanager
def run_in_background(function: Callable[[threading.Event], None]) -> Iterator[None]:
    """Run a function in a thread during the block; its event is set at the block's end.

    Raises what the function raises.
    """
    is_over = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(function, is_over)
        try:
            yield
        finally:
            is_over.set()
        done.result()


@contextmanager
def cluster_site(threads: int = 10, members: int = 0, **changes: str) -> Iterator[ClusterSite]:
    with tempfile.TemporaryDirectory(prefix="partyline-far-end-") as folder:
        far_end = FarEnd(Path(folder) / "ledger.jsonl")
        settings = {
            "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
            "TWILIO_API_URL": far_end.url,
            "CARRIER_TIMEOUT": "3",
            "PARTYLINE_DEMO": "0",
            "CLUSTER_TLS": "1",
            "TWO_STEP_SIGN_IN": "nobody",
            # Emptied, so that the cluster makes its own whatever a test or a shell has set.
            "SECRET_KEY": "",
            "FIELD_KEYS": "",
            "ALLOWED_HOSTS": "",
        } | changes
        try:
            with running_cluster(**settings) as cluster:
                own = settings | cluster.environment
                written = write_cast(own, threads, members)
                yield ClusterSite(
                    cluster,
                    far_end,
                    trust=_trusted_context(cluster),
                    settings=own,
                    **written,
                    cluster=cluster,
                )
        finally:
            far_end.stop()


def write_cast(environment: dict[str, str], threads: int, members: int) -> dict[str, Any]:
    """Write the cast into the database that the environment names; return fields of `Site`."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.cast_writer", str(threads), str(members)],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        check=True,
    )
    written: dict[str, Any] = json.loads(done.stdout)
    written["threads"] = [(number, address) for number, address in written["threads"]]
    written["members"] = [Member(**member) for member in written["members"]]
    return written


def _trusted_context(cluster: RunningCluster) -> ssl.SSLContext:
    certificate = cluster.data / "nginx/fullchain.pem"
    return ssl.create_default_context(cafile=certificate if certificate.exists() else None)
