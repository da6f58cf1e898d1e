"""A page as a browser keeps it: first loads over HTTP, frames over the ASGI socket."""

from __future__ import annotations

import asyncio
import html
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from asgiref.testing import ApplicationCommunicator
from channels.db import database_sync_to_async as in_database
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client

from config.asgi import application
from inboxes.models import Agent, Inbox
from messaging.live.hub import Hub, hub_of_this_loop
from tests.cast import client_of
from tests.markup import tags_on_one_line

PATIENCE = 5.0
Opener = Callable[..., Awaitable["LivePage"]]

SEND = "websocket.send"

# Parts that place nothing; what they tell of messages is kept in `told`.
SIDE_PARTS = {
    "beat",
    "labels",
    "notices",
    "presence",
    "marks",
    "drafts",
    "muted",
    "hidden",
    "counts",
}

ELEMENT = re.compile(
    r'<(li|article|div|section) id="((?:inbox|thread|message|activity|later|leaving|title|work'
    r'|facts|files|planned)-\d+(?:-\d+)?)" class="([^"]*)"'
    r' data-in="([^"]*)" data-key="([^"]*)" data-seq="([^"]*)"'
    r'(?: data-of="([^"]*)")?[^>]*>(.*?)</\1>',
    re.DOTALL,
)
SEQS = re.compile(r'data-seqs="([^"]*)"')


def parse_key(key: str) -> list[int]:
    """Return the parts of a key or seq, which compare one by one, as numbers."""
    return [-1] if key == "-1" else [int(part) for part in key.split("-")]


@dataclass(frozen=True)
class Element:
    """Hold a row or a bubble. `words` is what a person reads of it."""

    id: str
    container: str
    key: str
    seq: str
    marks: frozenset[str]
    words: str
    part_of: str = ""

    @property
    def is_gone(self) -> bool:
        """Return True if the element says that it left its list."""
        return "gone" in self.marks

    @property
    def shown(self) -> tuple[str, str, str, frozenset[str], str]:
        """Return all but the counter, which a person does not see."""
        return self.id, self.container, self.key, self.marks, self.words


def parse_elements(text: str) -> list[Element]:
    return [
        Element(
            id=found[2],
            container=found[4],
            key=found[5],
            seq=found[6],
            marks=frozenset(found[3].split()) - {"follows", "joined"},
            words=read_row(found[8]),
            part_of=found[7] or "",
        )
        for found in ELEMENT.finditer(tags_on_one_line(text))
    ]


def read_row(markup: str) -> str:
    """Return the words of a row; what only isolates a name or a text adds no space."""
    apart = re.sub(r"<[^>]+>", " ", re.sub(r"</?bdi\b[^>]*>", "", markup))
    words = " ".join(html.unescape(apart).split())
    return re.sub(r"Leaves in \d+ s", "Leaves in some s", words)


def read_seqs(text: str) -> dict[str, int]:
    seqs: dict[str, int] = {}
    for found in SEQS.finditer(text):
        seqs |= json.loads(html.unescape(found[1]))
    return seqs


@dataclass
class LivePage:
    """Play one tab of one agent."""

    agent: Agent
    client: Client
    path: str = "/"
    view: dict[str, Any] = field(default_factory=dict)
    placed: dict[str, Element] = field(default_factory=dict)
    tombstones: dict[str, str] = field(default_factory=dict)
    frames: list[dict[str, Any]] = field(default_factory=list)
    notifications: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[int, dict[str, Any]] = field(default_factory=dict)
    labels: dict[int, dict[str, Any]] = field(default_factory=dict)  # as they were changed
    gone_to: str = ""
    socket: Any = None

    def load(self, path: str | None = None) -> LivePage:
        """Load the page anew; this needs no socket."""
        self.path = path or self.path
        response = self.client.get(self.path)
        assert response.status_code == 200, (self.path, response.status_code)
        text = response.content.decode()
        self.placed = {found.id: found for found in parse_elements(text) if not found.is_gone}
        self.tombstones = {}
        only = re.search(r'data-only="([^"]*)"', text)
        shown = re.search(r'data-list="([^"]*)"', text)
        thread = re.search(r'data-thread="(\d+)"', text)
        counts = re.search(r'data-counts="([^"]*)"', text)
        known = json.loads(html.unescape(counts[1])) if counts else {}
        self.counts = {int(inbox): count for inbox, count in known.items()}
        assert shown is not None
        self.view = {
            "list": shown[1] if shown[1] == "top" else int(shown[1]),
            "thread": int(thread[1]) if thread else None,
            "only": only[1] if only else "",
            "seqs": read_seqs(text),
        }
        return self

    def apply_frame(self, frame: dict[str, Any]) -> None:
        """Place and remove elements by the same rule as the page's script."""
        if "rows" in frame:
            frame["rows"] = tags_on_one_line(frame["rows"])
        self._take_counts(frame.get("counts"))
        self.labels |= {label["id"]: label for label in frame.get("labels", [])}
        if frame.keys() <= SIDE_PARTS:
            self.notifications += frame.get("notices", {}).get("new", [])
            return
        self.frames.append(frame)
        self.notifications += frame.get("notices", {}).get("new", [])
        self.gone_to = frame.get("go", "") or self.gone_to
        gone = set(frame.get("gone", []))
        for element in list(self.placed.values()):
            if gone & {element.id, element.part_of}:
                del self.placed[element.id]
        narrowed = f"-{self.view['only']}" if self.view.get("only") else ""
        parts = ("log", "head", "later-of", "details-of", "planned-of")
        containers = {f"{part}-{self.view['thread']}" for part in parts}
        containers.add(f"list-{self.view['list']}{narrowed}")
        for element in parse_elements(frame.get("rows", "")):
            old = self.placed.get(element.id)
            if element.container not in containers:
                continue
            known = old.seq if old else self.tombstones.get(element.id, "-1")
            if parse_key(known) >= parse_key(element.seq):
                continue
            self.tombstones.pop(element.id, None)
            if element.is_gone:
                self.placed.pop(element.id, None)
                self.tombstones[element.id] = element.seq
            else:
                self.placed[element.id] = element
        seqs = self.view["seqs"]
        for key, seq in frame.get("seqs", {}).items():
            seqs[key] = max(seqs.get(key, 0), seq)

    def shown(self) -> set[tuple[Any, ...]]:
        counted = {
            (name, sum(counts[name] for counts in self.counts.values()))
            for name in ("reply", "mine", "failed")
        }
        return counted | {element.shown for element in self.placed.values()}

    def _take_counts(self, counts: dict[str, Any] | None) -> None:
        """Keep the counts beside the views, unless newer ones are known, or none were counted."""
        if counts is None or "reply" not in counts:
            return
        known = self.counts.get(counts["inbox"], {}).get("seq", "")
        if not (counts["seq"] and known) or parse_key(counts["seq"]) >= parse_key(known):
            self.counts[counts["inbox"]] = counts

    def ids_in_order(self, container: str) -> list[str]:
        """Return the ids of a list, newest first."""
        rows = [e for e in self.placed.values() if e.container == container]
        return [e.id for e in sorted(rows, key=lambda e: parse_key(e.key), reverse=True)]

    # The socket

    async def open(self, path: str | None = None) -> LivePage:
        if path is not None:
            await in_database(self.load)(path)
        self.socket = new_socket(self.client, self.view)
        connected, code = await self.socket.connect(timeout=PATIENCE)
        assert connected, code
        await wait_until_hub_idle()
        return self

    async def disconnect(self) -> None:
        if self.socket is not None:
            await self.socket.disconnect()
            self.socket = None

    async def send_view(self, view: dict[str, Any]) -> None:
        self.view = view
        await self.socket.send_to(text_data=json.dumps(view))

    async def receive_frame(self) -> dict[str, Any]:
        """Return the next frame that places something."""
        while True:
            frame = json.loads(await self.socket.receive_from(timeout=PATIENCE))
            self.apply_frame(frame)
            if not frame.keys() <= SIDE_PARTS:
                return dict(frame)

    async def wait_for(self, key: str, words: str) -> None:
        """Apply frames until the element shows the words."""
        async with asyncio.timeout(PATIENCE):
            while key not in self.placed or words not in self.placed[key].words:
                await self.receive_frame()

    async def receive_until_idle(self) -> None:
        """Apply frames until this process's hub has nothing left to do."""
        await wait_until_hub_idle(incoming=self.socket.input_queue)
        while not await self.socket.receive_nothing(timeout=0.01):
            event = await self.socket.receive_output(timeout=PATIENCE)
            assert event["type"] == SEND, event
            frame = json.loads(event["text"])
            self.apply_frame(frame)

    async def receive_close_code(self) -> int:
        """Return the code with which the server closes, after applying the frames before it."""
        async with asyncio.timeout(PATIENCE):
            while (event := await self.socket.receive_output(PATIENCE))["type"] == SEND:
                self.apply_frame(json.loads(event["text"]))
        return int(event["code"])


def _is_busy(hub: Hub) -> bool:
    bursts = [*(reader.task for reader in hub.readers.values()), *hub.agent_reads.values()]
    joining = [p for pages in hub.by_agent.values() for p in pages if p.is_catching_up]
    return bool(joining) or any(b._task is not None and not b._task.done() for b in bursts)


async def wait_until(is_so: Callable[[], bool]) -> None:
    """Return when the condition holds. Raises TimeoutError."""
    async with asyncio.timeout(PATIENCE):
        while True:
            if is_so():
                return
            await asyncio.sleep(0.01)


async def wait_until_hub_idle(incoming: asyncio.Queue[Any] | None = None) -> None:
    """Return when the hub has read all committed changes and the page's `incoming` messages."""
    hub, calm = hub_of_this_loop(), 0
    async with asyncio.timeout(PATIENCE):
        while calm < 2:  # once more, for what was under way between two of these questions
            await asyncio.sleep(0.01)
            is_busy = _is_busy(hub) or (incoming is not None and not incoming.empty())
            calm = 0 if is_busy or await in_database(_is_behind)(hub) else calm + 1


def _is_behind(hub: Hub) -> bool:
    """Return True while a counter in the database is ahead of what the hub has read."""
    read = {key: reader.seq for key, reader in hub.readers.items()}
    inboxes = Inbox.objects.filter(pk__in=list(read)).values_list("pk", "seq")
    known = dict(hub.agent_seqs)
    agents = Agent.objects.filter(pk__in=list(known)).values_list("pk", "seq")
    return any(read[key] < seq for key, seq in inboxes) or any(
        known[key] < seq for key, seq in agents
    )


class Socket(WebsocketCommunicator):  # type: ignore[misc]  # channels is untyped
    """Replace Channels' communicator, which leaves a database connection open in every thread."""

    send_input = ApplicationCommunicator.send_input
    receive_output = ApplicationCommunicator.receive_output
    receive_nothing = ApplicationCommunicator.receive_nothing
    wait = ApplicationCommunicator.wait


def new_tab(agent: Agent, client: Client | None = None) -> LivePage:
    return LivePage(agent, client or client_of(agent))


def new_socket(
    client: Client | None,
    view: object = None,
    *,
    origin: str = settings.PUBLIC_URL,
    query: str | None = None,
) -> Any:
    """Return a socket with the browser's cookies, not yet connected."""
    headers = [(b"origin", origin.encode())]
    if client is not None:
        cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
        headers.append((b"cookie", cookies.encode()))
    if query is None:
        query = "" if view is None else f"?look={quote(json.dumps(view))}"
    return Socket(application, f"/live/{query}", headers=headers)
