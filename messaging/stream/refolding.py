"""Fold the stored words of the search anew, after the rule for folding has changed.

Rows are read and written in batches of their own, without a lock that anybody waits for. A row is
written only if its words differ, and only if what they are made of is still what was read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection

from threads import words
from threads.activity_lines import index_words
from threads.models import Activity

BATCH = 10_000  # keys

# Only texts beyond ASCII can be folded in more than one way.
_MESSAGES = """SELECT id, inbox_id, body FROM messaging_message
WHERE id BETWEEN %s AND %s AND octet_length(body) > length(body)"""
_MESSAGE = """UPDATE messaging_message SET words = %(words)s::tsvector
WHERE id = %(id)s AND body = %(text)s AND words IS DISTINCT FROM %(words)s::tsvector"""

_SEARCHED = "concat_ws(' ', name, company, email, reference)"
_CONTACTS = f"""SELECT id, inbox_id, {_SEARCHED}, address, name, company, email, reference
FROM threads_contact
WHERE id BETWEEN %s AND %s AND octet_length({_SEARCHED}) > length({_SEARCHED})"""  # noqa: S608
_CONTACT = f"""UPDATE threads_contact SET words = %(words)s::tsvector
WHERE id = %(id)s AND {_SEARCHED} = %(text)s
    AND words IS DISTINCT FROM %(words)s::tsvector"""  # noqa: S608  our own columns

_ACTIVITY = """UPDATE threads_activity SET words = %(words)s::tsvector
WHERE id = %(id)s AND words IS DISTINCT FROM %(words)s::tsvector"""

# A thread has the words of its last message. A message that comes in meanwhile brings its own.
_THREADS = """UPDATE threads_thread AS thread SET words = message.words
FROM messaging_message AS message
WHERE thread.id BETWEEN %s AND %s AND message.id = thread.last_message_id
    AND thread.words IS DISTINCT FROM message.words"""


def refold_words() -> int:
    """Write what is searched as it is folded now; return how many rows have changed."""
    changed = _rewrite("messaging_message", _MESSAGES, _MESSAGE, _words_of_message)
    changed += _rewrite("threads_contact", _CONTACTS, _CONTACT, _words_of_contact)
    with connection.cursor() as cursor:
        for bounds in _batches("threads_thread"):
            cursor.execute(_THREADS, bounds)
            changed += cursor.rowcount
    return changed


def refold_activity() -> int:
    """Do the same for lines of activity. They never change, and name actors as of today."""
    changed = 0
    for bounds in _batches("threads_activity"):
        lines = Activity.objects.filter(pk__range=bounds).select_related("actor")
        for line in lines.defer("words").iterator():
            built = words.build_tsvector(line.inbox_id, index_words(line, line.actor))
            with connection.cursor() as cursor:
                cursor.execute(_ACTIVITY, {"id": line.pk, "words": built})
                changed += cursor.rowcount
    return changed


def _words_of_message(inbox_id: int, body: str) -> str:
    return words.build_tsvector(inbox_id, words.split_words(body))


def _words_of_contact(inbox_id: int, searched: str, address: str, name: str, *details: str) -> str:
    return words.build_contact_vector(inbox_id, address, name, details)


def _rewrite(table: str, read: str, write: str, build: Callable[..., str]) -> int:
    changed = 0
    with connection.cursor() as cursor:
        for bounds in _batches(table):
            cursor.execute(read, bounds)
            for key, inbox_id, text, *rest in cursor.fetchall():
                built = build(inbox_id, text, *rest)
                cursor.execute(write, {"id": key, "text": text, "words": built})
                changed += cursor.rowcount
    return changed


def _batches(table: str) -> Iterator[list[Any]]:
    """Yield the first and the last key of each batch."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT coalesce(max(id), 0) FROM {table}")  # noqa: S608  our own tables
        [last] = cursor.fetchone()
    for first in range(1, last + 1, BATCH):
        yield [first, first + BATCH - 1]
