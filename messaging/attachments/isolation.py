"""Decode pictures in a process of their own, one at a time.

A stranger's picture may be made to cost memory or time, or to exploit a decoder. That costs only
the child process, which holds none of our secrets, and the file does not count as a picture.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import IO, Any

from django.conf import settings

from inboxes.database import release_connection
from messaging.attachments.picture_process import NOT_A_PICTURE
from messaging.attachments.pictures import CannotShrink, NotAPicture, Picture
from messaging.attachments.sniffing import PICTURES, sniff_type

log = logging.getLogger(__name__)

# Seconds for one picture; the child limits its own processor time and memory.
PICTURE_TIMEOUT = 30.0

TURN_TIMEOUT = 15.0  # Seconds to wait for the decoder

MAX_WAITING = 8  # Any further request is refused at once

# The environment variables that the child gets.
ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH")

_turn = BoundedSemaphore(1)
_waiting = BoundedSemaphore(MAX_WAITING)


class DecoderBusy(Exception):
    """Raised when a picture could not be examined now; nothing is known of it, and it may work
    later."""


def read_picture(data: bytes) -> Picture:
    """Call `pictures.read_picture` in a child process. Raises NotAPicture, DecoderBusy."""
    if sniff_type(data) not in PICTURES:
        raise NotAPicture
    head, rest = _run_order({"do": "read"}, data)
    cut = int(head["size"])
    return Picture(
        data=rest[:cut],
        content_type=str(head["content_type"]),
        width=int(head["width"]),
        height=int(head["height"]),
        is_animated=bool(head["is_animated"]),
        thumbnail=rest[cut:],
    )


def shrink_picture(
    data: bytes, content_type: str, *, types: Collection[str], limit: int
) -> bytes | None:
    """Return a JPEG of at most `limit` bytes, made in a child; None if the stored picture fits.

    `data` is a picture as we store it. Raises CannotShrink, DecoderBusy.
    """
    if content_type in types and len(data) <= limit:
        return None
    try:
        _, smaller = _run_order({"do": "shrink", "limit": limit}, data)
    except NotAPicture as error:
        raise CannotShrink from error
    return smaller


def _run_order(order: dict[str, object], data: bytes) -> tuple[dict[str, Any], bytes]:
    """Run an order in a child; return its result and the bytes that it made.

    No database connection is held meanwhile. Raises NotAPicture, DecoderBusy.
    """
    release_connection()
    with (
        _one_at_a_time(),
        tempfile.TemporaryFile() as order_file,
        tempfile.TemporaryFile() as result_file,
    ):
        order_file.write(json.dumps(order).encode() + b"\n" + data)
        order_file.seek(0)
        status = _run_child(order_file, result_file)
        if status == 0:
            result_file.seek(0)
            return json.loads(result_file.readline()), result_file.read()
    if status > 0 and status != NOT_A_PICTURE:
        log.error("The child that decodes pictures failed with status %s.", status)
        raise DecoderBusy
    if status < 0:
        log.warning("A child that decoded a picture was ended by signal %s.", -status)
    raise NotAPicture


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    if not _waiting.acquire(blocking=False):
        raise DecoderBusy
    try:
        if not _turn.acquire(timeout=TURN_TIMEOUT):
            raise DecoderBusy
    finally:
        _waiting.release()
    try:
        yield
    finally:
        _turn.release()


def _run_child(order_file: IO[bytes], result_file: IO[bytes]) -> int:
    """Return the child's status, negative when a signal ended it. Raises DecoderBusy."""
    environment = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
    try:
        child = subprocess.Popen(
            [sys.executable, "-m", "messaging.attachments.picture_process"],
            cwd=settings.BASE_DIR,
            env=environment,
            stdin=order_file,
            stdout=result_file,
        )
    except OSError as error:
        log.error("No child could be started to decode a picture: %s", error)
        raise DecoderBusy from error
    with child:
        try:
            return child.wait(PICTURE_TIMEOUT)
        except subprocess.TimeoutExpired:
            child.kill()
            return child.wait()
