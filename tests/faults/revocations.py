"""Revoke rights in every way while texts flow to open pages, and measure when they stop (E6)."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.bench.clients import HttpConnection, Socket, get_request, post_request
from tests.bench.figures import Figure
from tests.bench.traffic import MARK, RequestSchedule
from tests.faults.admin_forms import ServerBusy
from tests.faults.revoker import WAYS, Revoker, Way, open_revoker
from tests.faults.sites import Member, Site

# A socket that is open for longer counts as never closed.
MAX_WAIT = 30.0

POLL_SECONDS = 0.05

# A silent socket may stay open for so many seconds beyond the limit for texts.
CLOSING = 1.0


@dataclass(frozen=True)
class Size:
    """Hold the size of the experiment.

    `sockets` counts those of each agent who loses a right, `stay` those of agents who lose none.
    `leisure` multiplies the time limits.
    """

    rounds: int
    sockets: int
    stay: int
    per_second: int
    leisure: float = 1.0

    @property
    def members(self) -> int:
        return self.rounds * len(WAYS) + self.stay


SHORT = Size(rounds=1, sockets=1, stay=2, per_second=10, leisure=1.5)
LONG = Size(rounds=3, sockets=3, stay=11, per_second=50)


@dataclass
class Watch:
    """Watch the open pages of one agent, and the texts that they show.

    `frames` are the times and sizes of frames with texts. `answer` is the status of the first
    request after the revocation.
    """

    member: Member
    sockets: list[Socket] = field(default_factory=list)
    shown: dict[Socket, set[int]] = field(default_factory=dict)
    frames: list[tuple[float, int]] = field(default_factory=list)
    revoked_at: float = 0.0
    answer: int = 0

    async def open_sockets(self, site: Site, thread: int, count: int) -> None:
        page = site.page_address(self.member, thread)
        while len(self.sockets) < count:
            try:
                socket = await Socket.open(
                    site.program.port,
                    page["path"],
                    page["cookie"],
                    self._record_frame,
                    tls=site.tls,
                )
            except ConnectionError:
                await asyncio.sleep(1.0)  # a busy server refuses; a browser tries again
                continue
            self.sockets.append(socket)
            self.shown[socket] = set()

    def _record_frame(self, socket: Socket, text: bytes, at: float) -> None:
        if found := MARK.findall(text):
            self.frames.append((at, len(text)))
            self.shown[socket].update(map(int, found))

    @property
    def is_closed(self) -> bool:
        return all(socket.closed_at is not None for socket in self.sockets)

    @property
    def closed_after(self) -> float | None:
        """Return the seconds until the last socket was closed, or None while one is open."""
        ends = [socket.closed_at for socket in self.sockets]
        times = [end for end in ends if end is not None]
        return max(0.0, max(times) - self.revoked_at) if len(times) == len(ends) else None

    def bytes_after(self, seconds: float) -> int:
        """Return the bytes of texts that came later than so long after the revocation."""
        return sum(size for at, size in self.frames if at > self.revoked_at + seconds)

    @property
    def last_after(self) -> float:
        return max([0.0, *(at - self.revoked_at for at, _ in self.frames)])


def measure_revocations(site: Site, size: Size) -> list[Figure]:
    with open_revoker(site) as shell:
        return asyncio.run(_measure_in_loop(site, size, shell))


async def _measure_in_loop(site: Site, size: Size, shell: Revoker) -> list[Figure]:
    members = list(site.members[: size.members])
    assert len(members) == size.members, f"{size.members} members are needed"
    stay = [await _open_watch(site, member, 1) for member in members[: size.stay]]
    left = iter(members[size.stay :])
    texts = RequestSchedule(site.program.port, _text_requests(site), size.per_second, tls=site.tls)
    sending = asyncio.create_task(texts.run())
    watched: list[tuple[Way, Watch]] = []
    for _ in range(size.rounds):
        watched += await _run_round(size, site, shell, [(way, next(left)) for way in WAYS])
    texts.is_over = True
    await sending
    missing = await _count_missing_texts(stay, texts.accepted)
    figures = [
        _make_figure(way, size.leisure, [one for other, one in watched if other is way])
        for way in WAYS
    ]
    for watch in stay:
        for socket in watch.sockets:
            socket.close()
    return [
        *figures,
        Figure(
            f"E6: {len(texts.due)} texts, {size.per_second}/s, to {size.stay} pages that stay",
            f"{sum(missing)} not shown",
            aim="0",
            is_met=not any(missing),
            note=f"webhooks {dict(texts.statuses)}",
        ),
    ]


async def _open_watch(site: Site, member: Member, count: int) -> Watch:
    watch = Watch(member)
    await watch.open_sockets(site, site.threads[0][0], count)
    return watch


def _text_requests(site: Site) -> Iterator[bytes]:
    """Generate webhooks with texts from each customer in turn, without end."""
    name = f"SMe6{time.time_ns()}"
    for number in itertools.count():
        _, sender = site.threads[number % len(site.threads)]
        call = site.text_call(f"{name}-{number}", f"Anybody? mark-{number}-", sender=sender)
        yield post_request(call.path, site.program.port, call.body, **call.headers)


async def _run_round(
    size: Size, site: Site, shell: Revoker, revocations: list[tuple[Way, Member]]
) -> list[tuple[Way, Watch]]:
    """Revoke in all ways right after each other, each for another agent whose pages get texts."""
    opening = [_open_watch(site, member, size.sockets) for _, member in revocations]
    watched = list(
        zip([way for way, _ in revocations], await asyncio.gather(*opening), strict=True)
    )
    await _wait_until(lambda: all(watch.frames for _, watch in watched))
    for way, watch in watched:
        await _revoke_right(shell, way, watch)
        watch.answer = await _next_request(site, watch.member)
    await _wait_until(lambda: all(watch.is_closed for _, watch in watched))
    for _, watch in watched:
        for socket in watch.sockets:
            socket.close()
    return watched


async def _revoke_right(shell: Revoker, way: Way, watch: Watch) -> None:
    """Revoke the right, trying again while the server is busy."""
    while True:
        try:
            await asyncio.to_thread(way.revoke, shell, watch.member)
        except ServerBusy:
            await asyncio.sleep(1.0)
        else:
            watch.revoked_at = time.perf_counter()
            return


async def _next_request(site: Site, member: Member) -> int:
    """Return the status of the first answer that is not 5xx."""
    request = get_request(f"/inboxes/{site.inbox}/", site.program.port, Cookie=member.cookie)
    status = 503
    while status >= 500:
        connection = await HttpConnection.open(site.program.port, site.tls)
        status = (await connection.send_request(request)).status
        connection.close()
    return status


async def _wait_until(is_so: Callable[[], bool]) -> None:
    """Wait for a condition, MAX_WAIT at the most."""
    for _ in range(int(MAX_WAIT / POLL_SECONDS)):
        if is_so():
            return
        await asyncio.sleep(POLL_SECONDS)


async def _count_missing_texts(stay: list[Watch], accepted: set[int]) -> list[int]:
    """Return how many accepted texts each page of an agent who stays has not shown."""
    pages = [shown for watch in stay for shown in watch.shown.values()]
    await _wait_until(lambda: all(accepted <= shown for shown in pages))
    return [len(accepted - shown) for shown in pages]


def _make_figure(way: Way, leisure: float, watched: list[Watch]) -> Figure:
    limit = way.limit * leisure
    ends = [watch.closed_after for watch in watched]
    times = [end for end in ends if end is not None]
    late = sum(watch.bytes_after(limit) for watch in watched)
    answers = sorted({watch.answer for watch in watched})
    are_closed = len(times) == len(ends)
    closed = f"{max(times):.1f} s" if are_closed else f"not within {MAX_WAIT:.0f} s"
    last = max(watch.last_after for watch in watched)
    received = sum(watch.bytes_after(0) for watch in watched)
    return Figure(
        f"E6: {way.name}",
        f"closed {closed}",
        aim=f"0 B after {limit:.0f} s",
        is_met=are_closed
        and max(times) <= limit + CLOSING
        and late == 0
        and answers == [way.then],
        note=f"last text after {last:.1f} s, {received:,} B until then, {late:,} B too late;"
        f" next request {', '.join(map(str, answers))}",
    )
