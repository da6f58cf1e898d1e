"""Do the same in many inboxes, so that what fails in one holds up no other."""

from __future__ import annotations

import logging
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager

from django.db import DatabaseError

log = logging.getLogger(__name__)


@contextmanager
def set_aside(failed: MutableMapping[int, DatabaseError], inbox_id: int) -> Iterator[None]:
    """Note and log an error of the database, and go on."""
    try:
        yield
    except DatabaseError as error:
        log.warning("Inbox %s is left out for now: %s.", inbox_id, type(error).__name__)
        failed[inbox_id] = error


def raise_first(failed: MutableMapping[int, DatabaseError]) -> None:
    """Raise what failed first, at the end, so that the job is seen to have failed."""
    for error in failed.values():
        raise error
