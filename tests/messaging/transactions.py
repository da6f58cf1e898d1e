"""Transactions in threads of their own, stepped one by one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from django.db import connections, transaction
from django.utils import timezone

from inboxes import counters
from inboxes.models import Inbox
from messaging.models import Message
from messaging.stream import writing
from threads.models import Contact, Thread

WAIT = 0.06
"""Seconds after which a step that has not ended waits for somebody's lock."""


class Hand:
    """One connection. `do` takes a step; a step that makes no sense now is passed over."""

    def __init__(self, inbox_id: int, thread_id: int) -> None:
        self.inbox_id, self.thread_id = inbox_id, thread_id
        self._pool = ThreadPoolExecutor(1)
        self._atomic: transaction.Atomic | None = None
        self._pending: Future[None] | None = None
        self.has_written = False

    @property
    def is_waiting(self) -> bool:
        return self._pending is not None and not self._pending.done()

    def do(self, step: str, hands: Sequence[Hand]) -> None:
        if self.is_waiting:
            return
        if step == "begin" and self._atomic is None:
            self._pool.submit(self._begin).result(5)
        elif step == "write" and self._atomic is not None:
            self._pending = self._pool.submit(self._write)
            others_hold = any(hand.has_written for hand in hands if hand is not self)
            if not others_hold:
                self._pending.result(5)
            else:
                time.sleep(WAIT)
            self.has_written = True
        elif step in {"commit", "rollback"} and self._atomic is not None:
            self._end(step == "commit")
            waiting = [hand._pending for hand in hands if hand._pending and hand.is_waiting]
            if waiting:
                wait(waiting, 5, FIRST_COMPLETED)  # the next in line has the lock now

    def _end(self, is_commit: bool) -> None:
        self._pool.submit(self._close, is_commit).result(5)
        self.has_written = False

    def _begin(self) -> None:
        self._atomic = transaction.atomic()
        self._atomic.__enter__()

    def _write(self) -> None:
        """As every action does: the counter first, then the rows."""
        seq = counters.next_inbox_seq(self.inbox_id)
        writing.record_message(
            Message(
                thread_id=self.thread_id,
                inbox_id=self.inbox_id,
                kind="inbound",
                body="words",
                created_at=timezone.now(),
                seq=seq,
                carrier_message_id=str(time.monotonic_ns()),
            )
        )

    def _close(self, is_commit: bool) -> None:
        atomic, self._atomic = self._atomic, None
        if atomic is not None:
            if not is_commit:
                transaction.set_rollback(True)
            atomic.__exit__(None, None, None)


def finish(hands: Sequence[Hand]) -> None:
    """Commit what is open, whoever holds the lock first, and close the connections."""
    for _ in hands:
        for hand in hands:
            hand.do("commit", hands)
    for hand in hands:
        hand._pool.submit(connections.close_all).result(5)
        hand._pool.shutdown()


def scene() -> tuple[int, int]:
    """A fresh inbox with one thread and no message."""
    Message.objects.all().delete()
    inbox, _ = Inbox.objects.get_or_create(name="Front Desk")
    Thread.objects.all().delete()
    Contact.objects.all().delete()
    Inbox.objects.filter(pk=inbox.pk).update(seq=0)
    contact = Contact.objects.create(inbox=inbox, address="+12025550177", kind="phone")
    thread = Thread.objects.create(inbox=inbox, contact=contact, our_address="+1", seq=0)
    return inbox.pk, thread.pk
