"""E1: webhooks come in while processes are killed; E7: the same while PostgreSQL is."""

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
from tests.faults.ground import Call, Ground, Told, meanwhile, repeat

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
    """The calls in their order, duplicates among them."""

    calls: list[Call]
    texts: set[str] = field(default_factory=set)
    receipts: set[str] = field(default_factory=set)
    poison: set[str] = field(default_factory=set)


def load(ground: Ground, size: Size) -> Load:
    """Texts of many people, receipts for what was sent before, 1 % of poison, 20 % of duplicates,
    in random order."""
    chance = random.Random(SEED)
    made = Load([])
    mark = f"{size.calls}-{time.time_ns()}"
    for number in range(int(size.calls * 0.7)):
        name = f"SM{mark}-{number}"
        sender = f"+1303555{chance.randrange(200):04d}"
        made.texts.add(name)
        made.calls.append(ground.text(name, f"Text {number}", sender=sender))
    for number in range(max(4, size.calls // 100)):
        name = f"SMpoison{mark}-{number}"
        made.poison.add(name)
        made.calls.append(_poison(ground, name, number))
    for message_id, token in ground.cluster.sql(
        "SELECT carrier_message_id, token::text FROM messaging_attempt"
        " WHERE carrier_message_id <> ''"
    ):
        for state in ("sent", "delivered", "sent"):
            name = f"{message_id} {state}"
            made.receipts.add(name)
            made.calls.append(ground.receipt(name, message_id, state, token))
    made.calls += chance.choices(made.calls, k=len(made.calls) // 4)
    chance.shuffle(made.calls)
    return made


def _poison(ground: Ground, name: str, number: int) -> Call:
    """NUL; half a surrogate pair; a megabyte; another charset than it may have."""
    match number % 4:
        case 0:
            return ground.text(name, "a\0b")
        case 1:
            return _half_a_pair(ground, ground.text(name, "@@"))
        case 2:
            return ground.text(name, "", sender="9" * 900_000)
        case _:
            call = ground.text(name, "In another charset")
            kind = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-16"}
            return replace(call, headers=call.headers | kind)


def _half_a_pair(ground: Ground, call: Call) -> Call:
    """Signed as a carrier signs: over the bytes, which are no UTF-8."""
    body = call.body.replace(b"%40%40", b"%ED%A0%BD")
    fields = dict(parse_qsl(body.decode(), keep_blank_values=True, encoding="latin-1"))
    text = ground.cluster.url + call.path + "".join(k + fields[k] for k in sorted(fields))
    mac = hmac.new(ground.secret.encode(), text.encode("latin-1"), hashlib.sha1).digest()
    mark = {"X-Twilio-Signature": base64.b64encode(mac).decode()}
    return replace(call, body=body, headers=call.headers | mark)


class StateWatch:
    """Looks at the messages' states again and again, and counts those that went back."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.seen: dict[int, str] = {}
        self.back = 0

    def __call__(self, is_over: threading.Event) -> None:
        while not is_over.wait(0.3):
            self.look()

    def look(self) -> None:
        try:
            rows = self.ground.cluster.sql(
                "SELECT id, state FROM messaging_message WHERE kind = 'outbound'"
            )
        except psycopg.Error:
            return  # it is what is being killed
        for pk, state in rows:
            self.back += RANKS[state] < RANKS[self.seen.get(pk, state)]
            self.seen[pk] = state


class Killer:
    """Kills at random moments, and waits until what it killed is back."""

    def __init__(self, ground: Ground, kinds: tuple[str, ...], kills: int, pause: float) -> None:
        self.ground = ground
        self.kinds = kinds
        self.kills = kills
        self.pause = pause
        self.killed = 0

    def __call__(self, is_over: threading.Event) -> None:
        chance = random.Random(SEED)
        cluster = self.ground.cluster
        while self.killed < self.kills:
            name = chance.choice([one for kind in self.kinds for one in cluster.names(kind)])
            before = cluster.pid(name)
            if cluster.kill(name):
                self.killed += 1
                self.ground.wait_until(partial(self._is_back, name, before))
            time.sleep(self.pause * chance.uniform(0.5, 1.5))

    def _is_back(self, name: str, before: int | None) -> bool:
        return self.ground.cluster.pid(name) not in {before, None}


def keep_down(ground: Ground, seconds: float) -> None:
    """PostgreSQL is killed as soon as it is up, for so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        ground.cluster.kill("postgres")
        time.sleep(0.05)


def e1(ground: Ground, size: Size) -> list[Figure]:
    """Web processes and workers are killed while everything comes in."""
    told, begun = Told(), time.monotonic()
    made = load(ground, size)
    watch, killer = StateWatch(ground), Killer(ground, ("web", "worker"), size.kills, 1.0)
    with meanwhile(watch), meanwhile(killer):
        repeat(ground, made.calls, told)
    took = time.monotonic() - begun
    watch.look()
    what = f"E1: {len(made.calls)} webhooks, {killer.killed} processes killed"
    return [
        Figure(
            what, f"{took:.0f} s", note=f"{told.refused} refusals; slowest {told.slowest:.1f} s"
        ),
        *compared(ground, made, told, watch, "E1"),
    ]


def e7(ground: Ground, size: Size) -> list[Figure]:
    """PostgreSQL is killed while everything comes in, then stays away."""
    told, begun = Told(), time.monotonic()
    made = load(ground, size)
    watch, kills = StateWatch(ground), max(1, size.kills // 2)
    killer = Killer(ground, ("postgres",), kills, 3.0)
    half = len(made.calls) // 2
    with meanwhile(watch), meanwhile(killer):
        repeat(ground, made.calls[:half], told)
    back: list[float] = []

    def away(is_over: threading.Event) -> None:
        keep_down(ground, size.down_seconds)
        back.append(_recovery(ground))

    with meanwhile(watch), meanwhile(away):
        repeat(ground, made.calls[half:], told)
    took = time.monotonic() - begun
    watch.look()
    strange = {s: n for s, n in told.statuses.items() if s not in {200, 503}}
    what = f"E7: {len(made.calls)} webhooks, PostgreSQL killed {kills} times"
    what += f" and away for {size.down_seconds:.0f} s"
    return [
        Figure(what, f"{took:.0f} s", note=f"{told.refused} refusals"),
        Figure(
            "E7: answers other than 200 and 503", str(strange or 0), aim="0", is_met=not strange
        ),
        Figure(
            "E7: back by itself after",
            f"{back[0]:.1f} s",
            aim=f"≤ {size.back_within:.0f} s",
            is_met=back[0] <= size.back_within,
        ),
        Figure(
            "E7: texts and periodic jobs go out again after",
            f"{(healed := _next_text(ground)):.1f} s",
            aim=f"≤ {size.back_within:.0f} s",
            is_met=healed <= size.back_within,
        ),
        *compared(ground, made, told, watch, "E7"),
    ]


def _next_text(ground: Ground) -> float:
    """Seconds until the carrier has a new text, and a worker has deferred a periodic job: they
    use different connections, and both must be well again."""
    ground.far_end.plan()
    now = ground.one("SELECT extract(epoch FROM now())")
    body, begun = f"After E7 {time.time_ns()}", time.monotonic()
    with ground.browser() as browser:
        ground.send(browser, ground.threads[0][0], body)
    state = "SELECT count(*) FROM messaging_message WHERE body = %s AND state = 'sent'"
    ground.wait_until(lambda: ground.one(state, body) == 1)
    newest = "SELECT max(defer_timestamp) FROM procrastinate_periodic_defers"
    ground.wait_until(lambda: ground.one(newest) > now)
    return time.monotonic() - begun


def _recovery(ground: Ground) -> float:
    """Seconds from the last kill until each web process is ready."""
    begun = time.monotonic()
    ports = [name.removeprefix("web-") for name in ground.cluster.names("web")]

    def is_ready() -> bool:
        try:
            return all(
                httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=20).status_code == 200
                for port in ports
            )
        except httpx.TransportError:
            return False

    ground.wait_until(is_ready)
    return time.monotonic() - begun


def compared(ground: Ground, made: Load, told: Told, watch: StateWatch, name: str) -> list[Figure]:
    """The callers' ledger beside the database's."""
    rows = ground.cluster.sql(
        "SELECT carrier_message_id FROM messaging_message WHERE kind = 'inbound'"
    )
    stored = [row[0] for row in rows if row[0] in made.texts]
    lost = (told.accepted & made.texts) - set(stored)
    twice = len(stored) - len(set(stored))
    settled = {name.split()[0] for name in told.accepted & made.receipts}
    undelivered = ground.one(
        "SELECT count(*) FROM messaging_attempt a JOIN messaging_message m ON m.id = a.message_id"
        " WHERE a.carrier_message_id = ANY(%s) AND m.state <> 'delivered'",
        list(settled),
    )
    kept = ground.cluster.sql("SELECT body FROM messaging_webhook WHERE is_quarantined")
    bodies = b"\n".join(bytes(row[0]) for row in kept)
    missing = [poison for poison in made.poison if poison.encode() not in bodies]
    return [
        none(f"{name}: lost after a 2xx, of {len(told.accepted & made.texts)}", len(lost)),
        none(f"{name}: stored twice", twice),
        none(f"{name}: receipts lost, of {len(settled)} texts' own", undelivered),
        none(f"{name}: states that went back", watch.back),
        none(f"{name}: poison not in quarantine, of {len(made.poison)}", len(missing)),
    ]


def none(what: str, count: int) -> Figure:
    return Figure(what, str(count), aim="0", is_met=count == 0)
