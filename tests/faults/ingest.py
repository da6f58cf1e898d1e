"""Receive webhooks while processes (E1) or PostgreSQL (E7) are killed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import random
import threading
import time
from dataclasses import dataclass, field, replace
from functools import partial
from urllib.parse import parse_qsl

import httpx
import psycopg

from tests.bench.figures import Figure
from tests.faults.sites import (
    CallerLedger,
    ClusterSite,
    WebhookCall,
    call_until_accepted,
    run_in_background,
)

SEED = 20261122
RANKS = {"queued": 0, "sending": 1, "unknown": 1, "sent": 2, "failed": 3, "delivered": 4}


@dataclass(frozen=True)
class Size:
    calls: int
    kills: int
    down_seconds: float = 0.0
    back_within: float = 15.0


SHORT = Size(calls=300, kills=3, down_seconds=3.0)
LONG = Size(calls=10_000, kills=20, down_seconds=60.0)


@dataclass
class Load:
    """Hold the calls in their order, duplicates included, and the names of each kind."""

    calls: list[WebhookCall]
    texts: set[str] = field(default_factory=set)
    receipts: set[str] = field(default_factory=set)
    poison: set[str] = field(default_factory=set)


def make_load(site: ClusterSite, size: Size) -> Load:
    """Make texts of many contacts, receipts for texts sent before, 1 % that is odd or poison and
    20 % of duplicates, in random order."""
    chance = random.Random(SEED)
    load = Load([])
    prefix = f"{size.calls}-{time.time_ns()}"
    for number in range(int(size.calls * 0.7)):
        name = f"SM{prefix}-{number}"
        sender = f"+1303555{chance.randrange(200):04d}"
        load.texts.add(name)
        load.calls.append(site.text_call(name, f"Text {number}", sender=sender))
    for number in range(max(4, size.calls // 100)):
        name = f"SModd{prefix}-{number}"
        is_poison = number % 4 >= 2
        (load.poison if is_poison else load.texts).add(name)
        load.calls.append(_odd_call(site, name, number))
    for message_id, token in site.cluster.sql(
        "SELECT carrier_message_id, token::text FROM messaging_attempt"
        " WHERE carrier_message_id <> ''"
    ):
        for state in ("sent", "delivered", "sent"):
            name = f"{message_id} {state}"
            load.receipts.add(name)
            load.calls.append(site.receipt_call(name, message_id, state, token))
    load.calls += chance.choices(load.calls, k=len(load.calls) // 4)
    chance.shuffle(load.calls)
    return load


def _odd_call(site: ClusterSite, name: str, number: int) -> WebhookCall:
    """Make a text with a NUL or half a surrogate pair, or a call with a megabyte or a forbidden
    charset, which belongs in quarantine."""
    match number % 4:
        case 0:
            return site.text_call(name, "a\0b")
        case 1:
            return _with_half_a_pair(site, site.text_call(name, "@@"))
        case 2:
            return site.text_call(name, "", sender="9" * 900_000)
        case _:
            call = site.text_call(name, "In another charset")
            kind = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-16"}
            return replace(call, headers=call.headers | kind)


def _with_half_a_pair(site: ClusterSite, call: WebhookCall) -> WebhookCall:
    """Put bytes that are not UTF-8 into the body, signed as a carrier signs them."""
    body = call.body.replace(b"%40%40", b"%ED%A0%BD")
    fields = dict(parse_qsl(body.decode(), keep_blank_values=True, encoding="latin-1"))
    text = site.cluster.url + call.path + "".join(k + fields[k] for k in sorted(fields))
    mac = hmac.new(site.secret.encode(), text.encode("latin-1"), hashlib.sha1).digest()
    signature = {"X-Twilio-Signature": base64.b64encode(mac).decode()}
    return replace(call, body=body, headers=call.headers | signature)


class StateWatch:
    """Read the messages' states again and again, and count those that went back."""

    def __init__(self, site: ClusterSite) -> None:
        self.site = site
        self.seen: dict[int, str] = {}
        self.back = 0

    def __call__(self, is_over: threading.Event) -> None:
        while not is_over.wait(0.3):
            self.read_states()

    def read_states(self) -> None:
        try:
            rows = self.site.cluster.sql(
                "SELECT id, state FROM messaging_message WHERE kind = 'outbound'"
            )
        except psycopg.Error:
            return  # the database is being killed
        for pk, state in rows:
            self.back += RANKS[state] < RANKS[self.seen.get(pk, state)]
            self.seen[pk] = state


class Killer:
    """Kill processes at random moments, and wait until each is back."""

    def __init__(
        self, site: ClusterSite, kinds: tuple[str, ...], kills: int, pause: float
    ) -> None:
        self.site = site
        self.kinds = kinds
        self.kills = kills
        self.pause = pause
        self.killed = 0

    def __call__(self, is_over: threading.Event) -> None:
        chance = random.Random(SEED)
        cluster = self.site.cluster
        while self.killed < self.kills:
            name = chance.choice([one for kind in self.kinds for one in cluster.names(kind)])
            before = cluster.pid(name)
            if cluster.kill(name):
                self.killed += 1
                self.site.wait_until(partial(self._is_back, name, before))
            time.sleep(self.pause * chance.uniform(0.5, 1.5))

    def _is_back(self, name: str, before: int | None) -> bool:
        return self.site.cluster.pid(name) not in {before, None}


def keep_database_down(site: ClusterSite, seconds: float) -> None:
    """Kill PostgreSQL as soon as it is up, for so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        site.cluster.kill("postgres")
        time.sleep(0.05)


def measure_killed_processes(site: ClusterSite, size: Size) -> list[Figure]:
    """Kill web processes and workers while webhooks arrive."""
    ledger, begun = CallerLedger(), time.monotonic()
    load = make_load(site, size)
    watch, killer = StateWatch(site), Killer(site, ("web", "worker"), size.kills, 1.0)
    with run_in_background(watch), run_in_background(killer):
        call_until_accepted(site, load.calls, ledger)
    took = time.monotonic() - begun
    watch.read_states()
    what = f"E1: {len(load.calls)} webhooks, {killer.killed} processes killed"
    return [
        Figure(
            what,
            f"{took:.0f} s",
            note=f"{ledger.refused} refusals; slowest {ledger.slowest:.1f} s",
        ),
        *compare_ledgers(site, load, ledger, watch, "E1"),
    ]


def measure_killed_database(site: ClusterSite, size: Size) -> list[Figure]:
    """Kill PostgreSQL while webhooks arrive, then keep it down."""
    ledger, begun = CallerLedger(), time.monotonic()
    load = make_load(site, size)
    watch, kills = StateWatch(site), max(1, size.kills // 2)
    killer = Killer(site, ("postgres",), kills, 3.0)
    half = len(load.calls) // 2
    with run_in_background(watch), run_in_background(killer):
        call_until_accepted(site, load.calls[:half], ledger)
    back: list[float] = []

    def keep_down(is_over: threading.Event) -> None:
        keep_database_down(site, size.down_seconds)
        back.append(_wait_until_ready(site))

    with run_in_background(watch), run_in_background(keep_down):
        call_until_accepted(site, load.calls[half:], ledger)
    took = time.monotonic() - begun
    watch.read_states()
    strange = {s: n for s, n in ledger.statuses.items() if s not in {200, 503}}
    what = f"E7: {len(load.calls)} webhooks, PostgreSQL killed {kills} times"
    what += f" and away for {size.down_seconds:.0f} s"
    return [
        Figure(what, f"{took:.0f} s", note=f"{ledger.refused} refusals"),
        Figure(
            "E7: answers other than 200 and 503", str(strange or 0), aim="0", is_met=not strange
        ),
        seconds_figure("E7: back without help after", back[0], size.back_within),
        seconds_figure(
            "E7: texts and periodic jobs run again after",
            _wait_for_next_text(site),
            size.back_within,
        ),
        *compare_ledgers(site, load, ledger, watch, "E7"),
    ]


def _wait_for_next_text(site: ClusterSite) -> float:
    """Return the seconds until a new text is sent and a worker has deferred a periodic job.

    The two use different connections, and both must have recovered.
    """
    site.far_end.plan()
    now = site.fetch_number("SELECT extract(epoch FROM now())")
    body, begun = f"After E7 {time.time_ns()}", time.monotonic()
    with site.signed_in_browser() as browser:
        site.send_text(browser, site.threads[0][0], body)
    state = "SELECT count(*) FROM messaging_message WHERE body = %s AND state = 'sent'"
    site.wait_until(lambda: site.fetch_number(state, body) == 1)
    newest = "SELECT max(defer_timestamp) FROM procrastinate_periodic_defers"
    site.wait_until(lambda: site.fetch_number(newest) > now)
    return time.monotonic() - begun


def _wait_until_ready(site: ClusterSite) -> float:
    """Return the seconds until each web process is ready."""
    begun = time.monotonic()
    ports = [name.removeprefix("web-") for name in site.cluster.names("web")]

    def is_ready() -> bool:
        try:
            return all(
                httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=20).status_code == 200
                for port in ports
            )
        except httpx.TransportError:
            return False

    site.wait_until(is_ready)
    return time.monotonic() - begun


def compare_ledgers(
    site: ClusterSite, load: Load, ledger: CallerLedger, watch: StateWatch, name: str
) -> list[Figure]:
    """Compare the callers' ledger with the database."""
    rows = site.cluster.sql(
        "SELECT carrier_message_id FROM messaging_message WHERE kind = 'inbound'"
    )
    stored = [row[0] for row in rows if row[0] in load.texts]
    lost = (ledger.accepted & load.texts) - set(stored)
    twice = len(stored) - len(set(stored))
    settled = {name.split()[0] for name in ledger.accepted & load.receipts}
    undelivered = site.fetch_number(
        "SELECT count(*) FROM messaging_attempt a JOIN messaging_message m ON m.id = a.message_id"
        " WHERE a.carrier_message_id = ANY(%s) AND m.state <> 'delivered'",
        list(settled),
    )
    kept = site.cluster.sql("SELECT body FROM messaging_webhook WHERE is_quarantined")
    bodies = b"\n".join(bytes(row[0]) for row in kept)
    missing = [poison for poison in load.poison if poison.encode() not in bodies]
    return [
        zero_figure(
            f"{name}: lost after a 2xx, of {len(ledger.accepted & load.texts)}", len(lost)
        ),
        zero_figure(f"{name}: stored twice", twice),
        zero_figure(f"{name}: receipts lost, of {len(settled)} texts' own", undelivered),
        zero_figure(f"{name}: states that went back", watch.back),
        zero_figure(f"{name}: poison not in quarantine, of {len(load.poison)}", len(missing)),
    ]


def zero_figure(what: str, count: int) -> Figure:
    return Figure(what, str(count), aim="0", is_met=count == 0)


def seconds_figure(what: str, seconds: float, limit: float, note: str = "") -> Figure:
    return Figure(
        what, f"{seconds:.1f} s", aim=f"≤ {limit:.0f} s", is_met=seconds <= limit, note=note
    )
