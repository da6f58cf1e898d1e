"""Strip a GIF to its frames without encoding them again (the GIF89a specification).

Encoding them would cost colours and bytes.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator

LOOP = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
EXTENSION, IMAGE, END = 0x21, 0x2C, 0x3B
CONTROL, APPLICATION = 0xF9, 0xFF


def strip_metadata(data: bytes) -> bytes:
    """Return the same frames, without comments, plain text, foreign data and anything after the
    end.

    Raises ValueError for data that breaks off.
    """
    try:
        return b"".join(_iterate_blocks(data)) + bytes([END])
    except IndexError as error:
        raise ValueError("It breaks off.") from error


def frame_sizes(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the width and height of each frame, as far as the blocks can be parsed."""
    with contextlib.suppress(ValueError, IndexError):
        for block in _iterate_blocks(data):
            if block[0] == IMAGE:
                yield struct.unpack("<HH", block[5:9])


def _iterate_blocks(data: bytes) -> Iterator[bytes]:
    offset = 13 + _colour_table_size(data[10])
    yield data[:offset]
    while data[offset] != END:
        start, kind = offset, data[offset]
        if kind == EXTENSION:
            label = data[offset + 1]
            body = offset + 2
            offset = _skip_sub_blocks(data, body)
            is_loop = label == APPLICATION and data[body + 1 : body + 12] in LOOP
            if label == CONTROL or is_loop:
                yield data[start:offset]
        elif kind == IMAGE:
            offset = _skip_sub_blocks(data, offset + 10 + _colour_table_size(data[offset + 9]) + 1)
            yield data[start:offset]
        else:
            raise ValueError("It holds a block of no known kind.")


def _colour_table_size(flags: int) -> int:
    """Return the size of a colour table in bytes."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _skip_sub_blocks(data: bytes, offset: int) -> int:
    """Return the offset behind the sub-blocks that begin here."""
    while data[offset]:
        offset += data[offset] + 1
    return offset + 1
