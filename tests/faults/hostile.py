"""E10: one party attacks, and the others go on."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import sys
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from messaging import base64url
from messaging.notifications.webpush import public_bytes
from tests.bench.figures import Figure, milliseconds
from tests.bench.house import packed
from tests.bench.wire import post
from tests.faults.ground import Member, Site, csrf_token
from tests.faults.ingest import none
from tests.faults.others import Others, Phase, Rates
from tests.stack import ROOT, free_port

AIM = 2.0
AIM_MEMORY = 100e6
AIM_REPLY = 10.0
SLACK = 20.0
"""Seconds that an attack's process may take to end."""

EMOJI = "\U0001f600" * 1_590
"""The longest text that carriers put together."""

EMOJI_PER_SECOND = 3
SUBSCRIPTIONS = 5  # of each member
FORGET = "DELETE FROM messaging_pushsubscription"


@dataclass(frozen=True)
class Assault:
    """`amount` is of sockets or connections at once. Zero seconds: as long as the others."""

    attack: str
    words: str
    amount: int
    seconds: float = 0.0
    closed_within: float = math.inf
    """Seconds after which the server may have left nothing of it open."""


ASSAULTS = [
    Assault("huge_messages", "messages of 100 MB on 6 sockets", 6, closed_within=2.0),
    Assault("many_frames", "10,000 frames a second on 20 sockets", 20),
    Assault("nonsense", "frames that mean nothing on 10 sockets", 10, closed_within=2.0),
    Assault("handshakes", "50 handshakes at once, anonymous and foreign", 50),
    Assault("slow_requests", "200 heads and bodies by the byte", 200, 40.0, 35.0),
    Assault("large_bodies", "4 bodies of 200 MB", 4),
    Assault("sign_ins", "40 wrong sign-ins at once", 40),
    Assault("stalled_readers", "20 stalled readers, texts of 1,590 emoji", 20, 20.0, 17.0),
    Assault("push_service", "a push service that never ends its answers", 10, 15.0),
]


@dataclass(frozen=True)
class Size:
    seconds: float
    calm: float
    rates: Rates
    pages: int
    attackers: int
    """Members who attack."""
    scale: float = 1.0
    """Of how many attack at once."""
    is_timed: bool = True
    """The attacks come one by one and are measured; else all at once, and only what must hold at
    any speed is judged."""

    @property
    def members(self) -> int:
        return self.pages + self.attackers


SHORT = Size(3.5, 0.5, Rates(10, 5, 4), pages=3, attackers=2, scale=0.1, is_timed=False)
LONG = Size(10.0, 15.0, Rates(8, 4, 1), pages=10, attackers=10)


def e10(site: Site, size: Size) -> list[Figure]:
    return asyncio.run(_measure(site, size))


async def _measure(site: Site, size: Size) -> list[Figure]:
    members = site.members[-size.members :]  # E6 takes from the other end
    assert len(members) == size.members, f"{size.members} members are needed"
    others = Others(site, members[: size.pages], size.rates)
    await others.live(size.calm)  # until all is warm
    calm = await others.live(size.calm)
    figures: list[Figure] = []
    phases, emoji = [calm], 0
    for group in [[one] for one in ASSAULTS] if size.is_timed else [ASSAULTS]:
        await others.settle(calm.view)
        phase, came_of = await _under(group, size, others, members[size.pages :])
        phases.append(phase)
        figures += _figures(size, phase, calm, came_of)
        emoji += sum(found.get("texts", 0) for found in came_of.values())
    return [
        Figure("E10: calm, p95", _told(calm)),
        *figures,
        *await asyncio.to_thread(_lost, size, others, emoji),
        none("E10: pages of others closed", sum(phase.closed for phase in phases)),
        none("E10: texts not shown on pages of others", sum(phase.unseen for phase in phases)),
    ]


async def _under(
    group: list[Assault], size: Size, others: Others, attackers: list[Member]
) -> tuple[Phase, dict[Assault, dict[str, int]]]:
    """The others' life meanwhile, and what came of each attack."""
    seconds = _seconds(size, group)
    running: dict[Assault, asyncio.subprocess.Process] = {}
    async with contextlib.AsyncExitStack() as after:

        async def begin() -> None:
            orders = [await _order(one, size, others, attackers) for one in group]
            for one, process in zip(
                group, await asyncio.gather(*map(_start, orders)), strict=True
            ):
                running[one] = process
                after.push_async_callback(_end, process)

        phase = await others.live(seconds, begin)
        came_of = {one: await _result(process, seconds) for one, process in running.items()}
    await asyncio.to_thread(others.site.program.sql, FORGET)
    return phase, came_of


async def _order(
    assault: Assault, size: Size, others: Others, attackers: list[Member]
) -> dict[str, Any]:
    """What the attack's process is told; the push service's browsers have subscribed then."""
    site, seconds = others.site, _seconds(size, [assault])
    order: dict[str, Any] = {
        "attack": assault.attack,
        "port": site.program.port,
        "cafile": site.cafile,
        "seconds": seconds,
        "amount": max(2, int(assault.amount * size.scale)),
        "pages": [site.page(member, site.threads[0][0]) for member in attackers],
    }
    if assault.attack == "stalled_readers":
        order["texts"] = _emoji(others, int(EMOJI_PER_SECOND * seconds))
    if assault.attack == "push_service":
        order["listen"] = free_port()
        await asyncio.to_thread(_subscribe, site, attackers, order["listen"])
    return order


def _seconds(size: Size, group: list[Assault]) -> float:
    return group[0].seconds or size.seconds if size.is_timed else size.seconds


async def _start(order: dict[str, Any]) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.faults.attacker",
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(order).encode() + b"\n")
    await process.stdin.drain()
    assert await process.stdout.readline() == b"begun\n"
    return process


async def _result(process: asyncio.subprocess.Process, seconds: float) -> dict[str, int]:
    assert process.stdout is not None
    async with asyncio.timeout(seconds + SLACK):
        found: dict[str, int] = json.loads(await process.stdout.readline())
    return found


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _emoji(others: Others, count: int) -> list[str]:
    site = others.site
    calls = [
        site.text(f"SM{others.mark}-emoji-{n}", EMOJI, sender=site.threads[n % 3][1])
        for n in range(count)
    ]
    return [packed(post(one.path, site.program.port, one.body, **one.headers)) for one in calls]


def _subscribe(site: Site, members: list[Member], port: int) -> None:
    """As their browsers do. Each member has several, of which one is enough to do harm."""
    key = base64url.encode(public_bytes(ec.generate_private_key(ec.SECP256R1())))
    url = site.program.url
    for member in members:
        with site.client(cookies=member.cookies, headers={"Origin": url}) as http:
            http.get("/settings/").raise_for_status()
            for number in range(SUBSCRIPTIONS):
                form = {
                    "endpoint": f"http://127.0.0.1:{port}/{member.pk}/{number}",
                    "p256dh": key,
                    "auth": base64url.encode(b"sixteen bytes ok"),
                    "csrfmiddlewaretoken": csrf_token(http),
                }
                answer = http.post("/settings/push/", data=form)
                assert answer.status_code == 204, answer.text


def _figures(
    size: Size, phase: Phase, calm: Phase, came_of: dict[Assault, dict[str, int]]
) -> list[Figure]:
    words = ", ".join(one.words for one in came_of) if size.is_timed else "all attacks at once"
    worst = phase.worst(calm)
    figures = [
        Figure(
            f"E10: {words}",
            f"×{worst:.1f}",
            aim=f"≤ ×{AIM:.0f}",
            is_met=worst <= AIM if size.is_timed else None,
            note=f"{_told(phase)}; {phase.refused} refused",
        ),
        Figure(
            "E10: … memory",
            f"{phase.gained / 1e6:+.0f} MB",
            aim=f"≤ {AIM_MEMORY / 1e6:.0f} MB",
            is_met=phase.gained <= AIM_MEMORY if size.is_timed else None,
        ),
    ]
    for one, found in came_of.items():
        still = found.get("still open", 0)
        is_due = one.closed_within <= _seconds(size, list(came_of))
        figures.append(
            Figure(
                f"E10: … {one.attack.replace('_', ' ')}",
                f"{still} open",
                aim="0" if is_due else "–",
                is_met=not still if is_due else None,
                note=", ".join(f"{count} {what}" for what, count in sorted(found.items())),
            )
        )
    return figures


def _told(phase: Phase) -> str:
    named = {"webhook": phase.webhook, "page": phase.view, "live": phase.live}
    return ", ".join(f"{name} {milliseconds(value)}" for name, value in named.items())


def _lost(size: Size, others: Others, emoji: int) -> list[Figure]:
    """The ledgers compared: the callers', the database's, the far end's. So many texts of emoji
    were taken."""
    site, mark = others.site, others.mark
    rows = site.program.sql(
        "SELECT carrier_message_id FROM messaging_message WHERE carrier_message_id LIKE %s",
        f"SM{mark}%",
    )
    stored = {name for (name,) in rows}
    lost = len(others.accepted - stored)
    lost += max(0, emoji - sum("emoji" in name for name in stored))
    with contextlib.suppress(AssertionError):
        site.wait_until(lambda: not _unsent(others), seconds=60)
    sent = {entry["body"]: entry["at"] for entry in site.far_end.ledger() if entry["taken"]}
    slowest = max(sent.get(body, math.inf) - at for body, at in others.replies.items())
    return [
        none(f"E10: of {len(others.accepted) + emoji} webhooks lost", lost),
        none(f"E10: of {len(others.replies)} replies not sent", len(_unsent(others))),
        Figure(
            "E10: slowest of the replies was at the far end after",
            f"{slowest:.1f} s",
            aim=f"≤ {AIM_REPLY:.0f} s",
            is_met=slowest <= AIM_REPLY if size.is_timed else None,
        ),
    ]


def _unsent(others: Others) -> set[str]:
    return set(others.replies) - {entry["body"] for entry in others.site.far_end.ledger()}
