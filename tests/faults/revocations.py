"""E6: each way of taking away what an agent may see, while texts flow to their open pages."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.bench.figures import Figure
from tests.bench.traffic import MARK, Schedule
from tests.bench.wire import Line, Socket, get, post
from tests.faults.admin_forms import Busy
from tests.faults.ground import Member, Site
from tests.faults.revoker import WAYS, Revoker, Way, revoker

PATIENCE = 30.0
"""Seconds until a socket that stays open counts as never closed."""

LOOK_EVERY = 0.05
CLOSING = 1.0
"""Seconds that a socket may stay open, silent, beyond the limit for texts."""


@dataclass(frozen=True)
class Size:
    rounds: int
    sockets: int
    """For each agent who loses something."""
    stay: int
    """Sockets of agents who lose nothing."""
    per_second: int
    leisure: float = 1.0
    """How many times as long as the limits it may take."""

    @property
    def members(self) -> int:
        return self.rounds * len(WAYS) + self.stay


SHORT = Size(rounds=1, sockets=1, stay=2, per_second=10, leisure=1.5)
LONG = Size(rounds=3, sockets=3, stay=11, per_second=50)


@dataclass
class Watch:
    """The open pages of one agent, and the texts that were shown on them."""

    member: Member
    sockets: list[Socket] = field(default_factory=list)
    shown: dict[Socket, set[int]] = field(default_factory=dict)
    frames: list[tuple[float, int]] = field(default_factory=list)
    """When each frame with a text came, and its bytes."""
    revoked_at: float = 0.0
    answer: int = 0
    """What the first request got afterwards."""

    async def open(self, site: Site, thread: int, count: int) -> None:
        page = site.page(self.member, thread)
        while len(self.sockets) < count:
            try:
                socket = await Socket.open(
                    site.program.port, page["path"], page["cookie"], self._hear, trust=site.tls
                )
            except ConnectionError:
                await asyncio.sleep(1.0)  # a busy server refuses; a browser comes again
                continue
            self.sockets.append(socket)
            self.shown[socket] = set()

    def _hear(self, socket: Socket, text: bytes, at: float) -> None:
        if found := MARK.findall(text):
            self.frames.append((at, len(text)))
            self.shown[socket].update(map(int, found))

    @property
    def is_closed(self) -> bool:
        return all(socket.closed_at is not None for socket in self.sockets)

    @property
    def closed_after(self) -> float | None:
        """Seconds until the last socket was; None while one is open."""
        ends = [socket.closed_at for socket in self.sockets]
        times = [end for end in ends if end is not None]
        return max(0.0, max(times) - self.revoked_at) if len(times) == len(ends) else None

    def bytes_after(self, seconds: float) -> int:
        """Of the frames with texts that came later than so long after the revocation."""
        return sum(size for at, size in self.frames if at > self.revoked_at + seconds)

    @property
    def last_after(self) -> float:
        return max([0.0, *(at - self.revoked_at for at, _ in self.frames)])


def e6(site: Site, size: Size) -> list[Figure]:
    with revoker(site) as shell:
        return asyncio.run(_measure(site, size, shell))


async def _measure(site: Site, size: Size, shell: Revoker) -> list[Figure]:
    members = list(site.members[: size.members])
    assert len(members) == size.members, f"{size.members} members are needed"
    stay = [await _opened(site, member, 1) for member in members[: size.stay]]
    left = iter(members[size.stay :])
    texts = Schedule(site.program.port, _texts(site), size.per_second, trust=site.tls)
    flowing = asyncio.create_task(texts.run())
    watched: list[tuple[Way, Watch]] = []
    for _ in range(size.rounds):
        watched += await _round(size, site, shell, [(way, next(left)) for way in WAYS])
    texts.is_over = True
    await flowing
    lacking = await _wait_for_texts(stay, texts.accepted)
    figures = [
        _figure(way, size.leisure, [one for other, one in watched if other is way]) for way in WAYS
    ]
    for watch in stay:
        for socket in watch.sockets:
            socket.close()
    return [
        *figures,
        Figure(
            f"E6: {len(texts.due)} texts, {size.per_second}/s, to {size.stay} pages that stay",
            f"{sum(lacking)} not shown",
            aim="0",
            is_met=not any(lacking),
            note=f"webhooks {dict(texts.statuses)}",
        ),
    ]


async def _opened(site: Site, member: Member, count: int) -> Watch:
    watch = Watch(member)
    await watch.open(site, site.threads[0][0], count)
    return watch


def _texts(site: Site) -> Iterator[bytes]:
    """One after the other from each of the customers, without an end."""
    name = f"SMe6{time.time_ns()}"
    for number in itertools.count():
        _, sender = site.threads[number % len(site.threads)]
        call = site.text(f"{name}-{number}", f"Anybody? mark-{number}-", sender=sender)
        yield post(call.path, site.program.port, call.body, **call.headers)


async def _round(
    size: Size, site: Site, shell: Revoker, losers: list[tuple[Way, Member]]
) -> list[tuple[Way, Watch]]:
    """All ways right after each other, each on an agent of its own whose pages get texts."""
    opening = [_opened(site, member, size.sockets) for _, member in losers]
    watched = list(zip([way for way, _ in losers], await asyncio.gather(*opening), strict=True))
    await _until(lambda: all(watch.frames for _, watch in watched))
    for way, watch in watched:
        await _revoke(shell, way, watch)
        watch.answer = await _next_request(site, watch.member)
    await _until(lambda: all(watch.is_closed for _, watch in watched))
    for _, watch in watched:
        for socket in watch.sockets:
            socket.close()
    return watched


async def _revoke(shell: Revoker, way: Way, watch: Watch) -> None:
    """Again and again while the server is busy, as a person would."""
    while True:
        try:
            await asyncio.to_thread(way.deed, shell, watch.member)
        except Busy:
            await asyncio.sleep(1.0)
        else:
            watch.revoked_at = time.perf_counter()
            return


async def _next_request(site: Site, member: Member) -> int:
    """The status of the first answer that is no complaint of being busy."""
    request = get(f"/inboxes/{site.inbox}/", site.program.port, Cookie=member.cookie)
    status = 503
    while status >= 500:
        line = await Line.open(site.program.port, site.tls)
        status = (await line.ask(request)).status
        line.close()
    return status


async def _until(is_so: Callable[[], bool]) -> None:
    """Return PATIENCE later at the latest."""
    for _ in range(int(PATIENCE / LOOK_EVERY)):
        if is_so():
            return
        await asyncio.sleep(LOOK_EVERY)


async def _wait_for_texts(stay: list[Watch], accepted: set[int]) -> list[int]:
    """How many of the texts that were taken each page that stays has not shown."""
    pages = [shown for watch in stay for shown in watch.shown.values()]
    await _until(lambda: all(accepted <= shown for shown in pages))
    return [len(accepted - shown) for shown in pages]


def _figure(way: Way, leisure: float, watched: list[Watch]) -> Figure:
    limit = way.limit * leisure
    ends = [watch.closed_after for watch in watched]
    times = [end for end in ends if end is not None]
    late = sum(watch.bytes_after(limit) for watch in watched)
    answers = sorted({watch.answer for watch in watched})
    are_closed = len(times) == len(ends)
    closed = f"{max(times):.1f} s" if are_closed else f"not within {PATIENCE:.0f} s"
    last = max(watch.last_after for watch in watched)
    flowed = sum(watch.bytes_after(0) for watch in watched)
    return Figure(
        f"E6: {way.name}",
        f"closed {closed}",
        aim=f"0 B after {limit:.0f} s",
        is_met=are_closed
        and max(times) <= limit + CLOSING
        and late == 0
        and answers == [way.then],
        note=f"last text after {last:.1f} s, {flowed:,} B until then, {late:,} B too late;"
        f" next request {', '.join(map(str, answers))}",
    )
