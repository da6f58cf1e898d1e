"""The child process of `isolation.py`: it reads an order and a picture, and writes the result.

Input: a line of JSON, then the bytes. Output: a line of JSON, then bytes. It imports nothing of
Django's, so that it starts in a tenth of a second.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import NoReturn

NOT_A_PICTURE = 65  # The exit status in that case (EX_DATAERR)

# Bytes of address space. The twelve million pixels of a phone's photo need 140 MB while it is
# turned, the largest accepted JPEG 220 MB.
MEMORY = 256 * 1024 * 1024

PROCESSOR_SECONDS = 10
MOST_OUTPUT = 128 * 1024 * 1024


def main() -> NoReturn:
    _limit_resources()
    from messaging.attachments import pictures  # only now, under the limits

    order = json.loads(sys.stdin.buffer.readline())
    data = sys.stdin.buffer.read()
    try:
        if order["do"] == "read":
            found = pictures.read_picture(data)
            head = {
                "size": len(found.data),
                "content_type": found.content_type,
                "width": found.width,
                "height": found.height,
                "is_animated": found.is_animated,
            }
            _write_result(head, found.data, found.thumbnail)
        else:
            _write_result({}, pictures.shrink_to(data, order["limit"]))
    except (pictures.NotAPicture, pictures.CannotShrink, MemoryError):
        os._exit(NOT_A_PICTURE)
    os._exit(0)  # Pillow's state needs no clean-up


def _write_result(head: dict[str, object], *parts: bytes) -> None:
    out = sys.stdout.buffer
    out.write(json.dumps(head).encode() + b"\n")
    for part in parts:
        out.write(part)
    out.flush()


def _limit_resources() -> None:
    """Bound what this process may use.

    Windows has no such limits, and macOS does not enforce the one for memory; there only the
    bounds on pixels hold.
    """
    with contextlib.suppress(OSError):
        # If the machine runs out of memory, the kernel ends this process and not the server.
        Path("/proc/self/oom_score_adj").write_text("1000")
    try:
        import resource
    except ImportError:
        return
    for which, most in [
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, PROCESSOR_SECONDS),
        (resource.RLIMIT_FSIZE, MOST_OUTPUT),
        (resource.RLIMIT_CORE, 0),
    ]:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(which, (most, most))


if __name__ == "__main__":
    main()
