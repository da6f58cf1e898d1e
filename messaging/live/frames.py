"""Frames: what the server sends to a page, in pieces of a bounded size."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

Frame = str

FRAME_LIMIT = 48 * 1024  # The most bytes of a frame, unless a single row is larger

# The name of an event that a module of the page's script listens for, and its details.
Part = tuple[str, object]


class EncodedJson(str):
    """Mark JSON that goes into a frame unchanged."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Fragment:
    """Hold a row's markup as the inside of a JSON string, encoded once for all frames.

    `size` is in bytes.
    """

    inside: str
    size: int

    @classmethod
    def from_markup(cls, markup: str) -> Fragment:
        inside = encode_json(markup)[1:-1]
        return cls(inside, len(inside.encode()))

    def with_value(self, placeholder: str, value: str) -> Fragment:
        """Replace a placeholder by a value that is not longer and needs no escaping."""
        return Fragment(self.inside.replace(placeholder, value), self.size)


def encode_json(value: object) -> EncodedJson:
    """Return compact JSON without \\u escapes: an emoji takes 4 bytes instead of 12."""
    if isinstance(value, EncodedJson):
        return value
    return EncodedJson(_encode(value))


def pack_frames(
    *,
    parts: Iterable[Part] = (),
    rows: Iterable[Fragment] = (),
    gone: Sequence[str] = (),
    go: str = "",
    seqs: dict[str, int] | None = None,
) -> list[Frame]:
    """Return frames of at most FRAME_LIMIT bytes.

    They hold, in this order: other parts, ids to remove, rows to place, an address to go to, and
    the counters that are reached. The counters are in the last frame, so that a page that missed
    any of them asks again.
    """
    packer = _Packer()
    for name, value in parts:
        packer.add_part(name, encode_json(value))
    if gone:
        packer.add_part("gone", encode_json(gone))
    for row in rows:
        packer.add_row(row)
    if go:
        packer.add_part("go", encode_json(go))
    if seqs:
        packer.add_part("seqs", encode_json(seqs))
    return packer.finish()


def split_into_parts(
    name: str, items: Iterable[object], *, before: str = "[", after: str = "]"
) -> Iterator[Part]:
    """Yield a list as one part, or as several of the same name where it is long.

    `before` and `after` are the JSON around the items of each part.
    """
    chunk: list[str] = []
    size = 0
    for item in map(encode_json, items):
        more = len(item.encode())
        if chunk and size + more > FRAME_LIMIT // 2:
            yield name, EncodedJson(f"{before}{','.join(chunk)}{after}")
            chunk, size = [], 0
        chunk.append(item)
        size += more
    yield name, EncodedJson(f"{before}{','.join(chunk)}{after}")


@dataclass(slots=True)
class _Packer:
    """Fill one frame after the other."""

    _done: list[Frame] = field(default_factory=list)
    _parts: dict[str, str] = field(default_factory=dict)
    _rows: list[str] = field(default_factory=list)
    _size: int = 0

    def add_part(self, name: str, value: str) -> None:
        size = len(value.encode()) + len(name) + 4
        if name in self._parts or self._size + size > FRAME_LIMIT:
            self._close_frame()
        self._parts[name] = value
        self._size += size

    def add_row(self, row: Fragment) -> None:
        if self._size + row.size > FRAME_LIMIT:
            self._close_frame()
        self._rows.append(row.inside)
        self._size += row.size

    def finish(self) -> list[Frame]:
        self._close_frame()
        return self._done

    def _close_frame(self) -> None:
        if self._rows:
            self._parts["rows"] = f'"{"".join(self._rows)}"'
        if self._parts:
            inside = ",".join(f'"{name}":{value}' for name, value in self._parts.items())
            self._done.append(f"{{{inside}}}")
        self._parts, self._rows, self._size = {}, [], 0


HEARTBEAT: Frame = encode_json({"beat": 1})
