"""Attack the installation and measure how bystanders fare (E10)."""

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
from tests.bench.clients import post_request
from tests.bench.figures import Figure, milliseconds
from tests.bench.server import to_base64
from tests.faults.bystanders import Bystanders, Phase, Rates
from tests.faults.ingest import zero_figure
from tests.faults.sites import Member, Site, csrf_token
from tests.stack import ROOT, free_port

AIM = 2.0
AIM_MEMORY = 100e6
AIM_REPLY = 10.0

# So many seconds an attack's process may take to end.
MAX_OVERRUN = 20.0

# The longest text that carriers put together.
EMOJI = "\U0001f600" * 1_590

EMOJI_PER_SECOND = 3
SUBSCRIPTIONS = 5  # of each member
DELETE_SUBSCRIPTIONS = "DELETE FROM messaging_pushsubscription"


@dataclass(frozen=True)
class Assault:
    """Describe an attack.

    `amount` counts sockets or connections at once. Zero `seconds` means the usual duration. The
    server may leave nothing open `closed_within` seconds after the start.
    """

    attack: str
    words: str
    amount: int
    seconds: float = 0.0
    closed_within: float = math.inf


ASSAULTS = [
    Assault("huge_messages", "messages of 100 MB on 6 sockets", 6, closed_within=2.0),
    Assault("many_frames", "10,000 frames a second on 20 sockets", 20),
    Assault("meaningless_frames", "frames that mean nothing on 10 sockets", 10, closed_within=2.0),
    Assault("repeated_handshakes", "50 handshakes at once, anonymous and foreign", 50),
    Assault("slow_requests", "200 heads and bodies by the byte", 200, 40.0, 35.0),
    Assault("large_bodies", "4 bodies of 200 MB", 4),
    Assault("sign_ins", "40 wrong sign-ins at once", 40),
    Assault("stalled_readers", "20 stalled readers, texts of 1,590 emoji", 20, 20.0, 17.0),
    Assault("push_service", "a push service that never ends its answers", 10, 15.0),
]


@dataclass(frozen=True)
class Size:
    """Hold the size of the experiment.

    `attackers` counts the members who attack, `scale` multiplies the amounts. When `is_timed`, the
    attacks come one by one and are measured. Otherwise they come all at once, and only what must
    hold at any speed is judged.
    """

    seconds: float
    calm: float
    rates: Rates
    pages: int
    attackers: int
    scale: float = 1.0
    is_timed: bool = True

    @property
    def members(self) -> int:
        return self.pages + self.attackers


SHORT = Size(3.5, 0.5, Rates(10, 5, 4), pages=3, attackers=2, scale=0.1, is_timed=False)
LONG = Size(10.0, 15.0, Rates(8, 4, 1), pages=10, attackers=10)


def measure_attacks(site: Site, size: Size) -> list[Figure]:
    return asyncio.run(_measure_in_loop(site, size))


async def _measure_in_loop(site: Site, size: Size) -> list[Figure]:
    members = site.members[-size.members :]  # E6 takes members from the other end
    assert len(members) == size.members, f"{size.members} members are needed"
    bystanders = Bystanders(site, members[: size.pages], size.rates)
    await bystanders.run_phase(size.calm)  # warms up
    calm = await bystanders.run_phase(size.calm)
    figures: list[Figure] = []
    phases, emoji = [calm], 0
    for group in [[one] for one in ASSAULTS] if size.is_timed else [ASSAULTS]:
        await bystanders.wait_until_fast(calm.view)
        phase, outcomes = await _run_attacks(group, size, bystanders, members[size.pages :])
        phases.append(phase)
        figures += _make_figures(size, phase, calm, outcomes)
        emoji += sum(outcome.get("texts", 0) for outcome in outcomes.values())
    return [
        Figure("E10: calm, p95", _describe_phase(calm)),
        *figures,
        *await asyncio.to_thread(_compare_ledgers, size, bystanders, emoji),
        zero_figure("E10: pages of bystanders closed", sum(phase.closed for phase in phases)),
        zero_figure(
            "E10: texts not shown on pages of bystanders", sum(phase.unseen for phase in phases)
        ),
    ]


async def _run_attacks(
    group: list[Assault], size: Size, bystanders: Bystanders, attackers: list[Member]
) -> tuple[Phase, dict[Assault, dict[str, int]]]:
    """Run the attacks; return how the bystanders fared and the outcomes of each attack."""
    seconds = _attack_seconds(size, group)
    running: dict[Assault, asyncio.subprocess.Process] = {}
    async with contextlib.AsyncExitStack() as stack:

        async def begin() -> None:
            orders = [await _make_order(one, size, bystanders, attackers) for one in group]
            for one, process in zip(
                group, await asyncio.gather(*map(_start_attacker, orders)), strict=True
            ):
                running[one] = process
                stack.push_async_callback(_kill_process, process)

        phase = await bystanders.run_phase(seconds, begin)
        outcomes = {one: await _read_outcome(process, seconds) for one, process in running.items()}
    await asyncio.to_thread(bystanders.site.program.sql, DELETE_SUBSCRIPTIONS)
    return phase, outcomes


async def _make_order(
    assault: Assault, size: Size, bystanders: Bystanders, attackers: list[Member]
) -> dict[str, Any]:
    """Return the order for the attack's process; a push service gets its subscriptions first."""
    site, seconds = bystanders.site, _attack_seconds(size, [assault])
    order: dict[str, Any] = {
        "attack": assault.attack,
        "port": site.program.port,
        "cafile": site.cafile,
        "seconds": seconds,
        "amount": max(2, int(assault.amount * size.scale)),
        "pages": [site.page_address(member, site.threads[0][0]) for member in attackers],
    }
    if assault.attack == "stalled_readers":
        order["texts"] = _emoji_requests(bystanders, int(EMOJI_PER_SECOND * seconds))
    if assault.attack == "push_service":
        order["listen"] = free_port()
        await asyncio.to_thread(_subscribe_browsers, site, attackers, order["listen"])
    return order


def _attack_seconds(size: Size, group: list[Assault]) -> float:
    return group[0].seconds or size.seconds if size.is_timed else size.seconds


async def _start_attacker(order: dict[str, Any]) -> asyncio.subprocess.Process:
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


async def _read_outcome(process: asyncio.subprocess.Process, seconds: float) -> dict[str, int]:
    assert process.stdout is not None
    async with asyncio.timeout(seconds + MAX_OVERRUN):
        outcome: dict[str, int] = json.loads(await process.stdout.readline())
    return outcome


async def _kill_process(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _emoji_requests(bystanders: Bystanders, count: int) -> list[str]:
    site = bystanders.site
    calls = [
        site.text_call(f"SM{bystanders.prefix}-emoji-{n}", EMOJI, sender=site.threads[n % 3][1])
        for n in range(count)
    ]
    return [
        to_base64(post_request(call.path, site.program.port, call.body, **call.headers))
        for call in calls
    ]


def _subscribe_browsers(site: Site, members: list[Member], port: int) -> None:
    """Subscribe several browsers for each member, as the page does."""
    key = base64url.encode(public_bytes(ec.generate_private_key(ec.SECP256R1())))
    url = site.program.url
    for member in members:
        with site.http_client(cookies=member.cookies, headers={"Origin": url}) as http:
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


def _make_figures(
    size: Size, phase: Phase, calm: Phase, outcomes: dict[Assault, dict[str, int]]
) -> list[Figure]:
    words = ", ".join(one.words for one in outcomes) if size.is_timed else "all attacks at once"
    slowdown = phase.slowdown(calm)
    figures = [
        Figure(
            f"E10: {words}",
            f"×{slowdown:.1f}",
            aim=f"≤ ×{AIM:.0f}",
            is_met=slowdown <= AIM if size.is_timed else None,
            note=f"{_describe_phase(phase)}; {phase.refused} refused",
        ),
        Figure(
            "E10: … memory",
            f"{phase.gained / 1e6:+.0f} MB",
            aim=f"≤ {AIM_MEMORY / 1e6:.0f} MB",
            is_met=phase.gained <= AIM_MEMORY if size.is_timed else None,
        ),
    ]
    for one, outcome in outcomes.items():
        still = outcome.get("still open", 0)
        is_due = one.closed_within <= _attack_seconds(size, list(outcomes))
        figures.append(
            Figure(
                f"E10: … {one.attack.replace('_', ' ')}",
                f"{still} open",
                aim="0" if is_due else "–",
                is_met=not still if is_due else None,
                note=", ".join(f"{count} {what}" for what, count in sorted(outcome.items())),
            )
        )
    return figures


def _describe_phase(phase: Phase) -> str:
    named = {"webhook": phase.webhook, "page": phase.view, "live": phase.live}
    return ", ".join(f"{name} {milliseconds(value)}" for name, value in named.items())


def _compare_ledgers(size: Size, bystanders: Bystanders, emoji: int) -> list[Figure]:
    """Compare callers, database and far end; `emoji` texts were accepted besides."""
    site, prefix = bystanders.site, bystanders.prefix
    rows = site.program.sql(
        "SELECT carrier_message_id FROM messaging_message WHERE carrier_message_id LIKE %s",
        f"SM{prefix}%",
    )
    stored = {name for (name,) in rows}
    lost = len(bystanders.accepted - stored)
    lost += max(0, emoji - sum("emoji" in name for name in stored))
    with contextlib.suppress(AssertionError):
        site.wait_until(lambda: not _unsent_replies(bystanders), seconds=60)
    sent = {entry["body"]: entry["at"] for entry in site.far_end.ledger() if entry["taken"]}
    slowest = max(sent.get(body, math.inf) - at for body, at in bystanders.replies.items())
    return [
        zero_figure(f"E10: of {len(bystanders.accepted) + emoji} webhooks lost", lost),
        zero_figure(
            f"E10: of {len(bystanders.replies)} replies not sent", len(_unsent_replies(bystanders))
        ),
        Figure(
            "E10: slowest of the replies was at the far end after",
            f"{slowest:.1f} s",
            aim=f"≤ {AIM_REPLY:.0f} s",
            is_met=slowest <= AIM_REPLY if size.is_timed else None,
        ),
    ]


def _unsent_replies(bystanders: Bystanders) -> set[str]:
    return set(bystanders.replies) - {entry["body"] for entry in bystanders.site.far_end.ledger()}
