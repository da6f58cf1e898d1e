"""Frames: what the server sends to a page, in pieces that no slow line and no size limit stops."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

Frame = str

FRAME_LIMIT = 48 * 1024
"""The most bytes of a frame, unless a single row is larger."""

Part = tuple[str, object]
"""The name of an event that a module of the page's script listens for, and its details."""


class Encoded(str):
    """JSON already, which goes into a frame as it is."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Fragment:
    """A row's markup as the inside of a JSON string, encoded once for all frames that hold it.
    `size` is in bytes."""

    inside: str
    size: int

    @classmethod
    def of(cls, markup: str) -> Fragment:
        inside = encoded(markup)[1:-1]
        return cls(inside, len(inside.encode()))

    def with_word(self, placeholder: str, word: str) -> Fragment:
        """Replace a placeholder by a word that is not longer and needs no escaping."""
        return Fragment(self.inside.replace(placeholder, word), self.size)


def encoded(value: object) -> Encoded:
    """Return compact JSON without \\u escapes: an emoji takes 4 bytes instead of 12."""
    if isinstance(value, Encoded):
        return value
    return Encoded(_encode(value))


def pack(
    *,
    parts: Iterable[Part] = (),
    rows: Iterable[Fragment] = (),
    gone: Sequence[str] = (),
    go: str = "",
    seqs: dict[str, int] | None = None,
) -> list[Frame]:
    """Return frames of at most FRAME_LIMIT bytes, in this order: further parts, ids to remove,
    rows to place, an address to go to, and the counters that are reached.

    The counters are in the last frame, so that a page that missed any of them asks again.
    """
    packer = _Packer()
    for name, value in parts:
        packer.add_part(name, encoded(value))
    if gone:
        packer.add_part("gone", encoded(gone))
    for row in rows:
        packer.add_row(row)
    if go:
        packer.add_part("go", encoded(go))
    if seqs:
        packer.add_part("seqs", encoded(seqs))
    return packer.end()


def spread(
    name: str, items: Iterable[object], *, before: str = "[", after: str = "]"
) -> Iterator[Part]:
    """Yield a list as one part, or as several of the same name where it is long. `before` and
    `after` are the JSON around the items of each."""
    chunk: list[str] = []
    size = 0
    for item in map(encoded, items):
        more = len(item.encode())
        if chunk and size + more > FRAME_LIMIT // 2:
            yield name, Encoded(f"{before}{','.join(chunk)}{after}")
            chunk, size = [], 0
        chunk.append(item)
        size += more
    yield name, Encoded(f"{before}{','.join(chunk)}{after}")


@dataclass(slots=True)
class _Packer:
    """Fills one frame after the other."""

    _done: list[Frame] = field(default_factory=list)
    _parts: dict[str, str] = field(default_factory=dict)
    _rows: list[str] = field(default_factory=list)
    _size: int = 0

    def add_part(self, name: str, value: str) -> None:
        size = len(value.encode()) + len(name) + 4
        if name in self._parts or self._size + size > FRAME_LIMIT:
            self._close()
        self._parts[name] = value
        self._size += size

    def add_row(self, row: Fragment) -> None:
        if self._size + row.size > FRAME_LIMIT:
            self._close()
        self._rows.append(row.inside)
        self._size += row.size

    def end(self) -> list[Frame]:
        self._close()
        return self._done

    def _close(self) -> None:
        if self._rows:
            self._parts["rows"] = f'"{"".join(self._rows)}"'
        if self._parts:
            inside = ",".join(f'"{name}":{value}' for name, value in self._parts.items())
            self._done.append(f"{{{inside}}}")
        self._parts, self._rows, self._size = {}, [], 0


BEAT: Frame = encoded({"beat": 1})
