"""Run transactions on connections of their own, step by step."""

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
from tests.databases import sessions_waiting_for_locks
from threads.models import Contact, Thread


class SteppedTransaction:
    """Hold one connection and at most one transaction, with a thread of their own."""

    def __init__(self, inbox_id: int, thread_id: int) -> None:
        self.inbox_id, self.thread_id = inbox_id, thread_id
        self._pool = ThreadPoolExecutor(1)
        self._atomic: transaction.Atomic | None = None
        self._pending: Future[None] | None = None
        self.has_written = False

    @property
    def is_waiting(self) -> bool:
        return self._pending is not None and not self._pending.done()

    def take_step(self, step: str, transactions: Sequence[SteppedTransaction]) -> None:
        """Begin, write, commit or roll back; a step that is impossible now is skipped."""
        if self.is_waiting:
            return
        if step == "begin" and self._atomic is None:
            self._pool.submit(self._begin_transaction).result(5)
        elif step == "write" and self._atomic is not None:
            self._pending = self._pool.submit(self._write_message)
            others_hold = any(other.has_written for other in transactions if other is not self)
            if not others_hold:
                self._pending.result(5)
            else:
                self._wait_for_lock(transactions)
            self.has_written = True
        elif step in {"commit", "rollback"} and self._atomic is not None:
            self._end_transaction(step == "commit")
            waiting = [
                other._pending for other in transactions if other._pending and other.is_waiting
            ]
            if waiting:
                wait(waiting, 5, FIRST_COMPLETED)  # the next in line has the lock now

    def _wait_for_lock(self, transactions: Sequence[SteppedTransaction]) -> None:
        """Return when the step has ended after all, or waits for somebody's lock."""
        deadline = time.monotonic() + 5
        while self.is_waiting:
            if sessions_waiting_for_locks() >= sum(one.is_waiting for one in transactions):
                return
            assert time.monotonic() < deadline
            time.sleep(0.002)

    def _end_transaction(self, is_commit: bool) -> None:
        self._pool.submit(self._close_transaction, is_commit).result(5)
        self.has_written = False

    def _begin_transaction(self) -> None:
        self._atomic = transaction.atomic()
        self._atomic.__enter__()

    def _write_message(self) -> None:
        """Advance the inbox's counter, then write the rows, as every action does."""
        seq = counters.next_inbox_seq(self.inbox_id)
        writing.record_message(
            Message(
                thread_id=self.thread_id,
                inbox_id=self.inbox_id,
                kind="inbound",
                body="A text",
                created_at=timezone.now(),
                seq=seq,
                carrier_message_id=str(time.monotonic_ns()),
            )
        )

    def _close_transaction(self, is_commit: bool) -> None:
        atomic, self._atomic = self._atomic, None
        if atomic is not None:
            if not is_commit:
                transaction.set_rollback(True)
            atomic.__exit__(None, None, None)


def commit_all(transactions: Sequence[SteppedTransaction]) -> None:
    """Commit all open transactions in the order of their locks, and close the connections."""
    for _ in transactions:
        for other in transactions:
            other.take_step("commit", transactions)
    for other in transactions:
        other._pool.submit(connections.close_all).result(5)
        other._pool.shutdown()


def make_empty_thread() -> tuple[int, int]:
    """Return the keys of an inbox and its only thread, which has no message."""
    Message.objects.all().delete()
    inbox, _ = Inbox.objects.get_or_create(name="Front Desk")
    Thread.objects.all().delete()
    Contact.objects.all().delete()
    Inbox.objects.filter(pk=inbox.pk).update(seq=0)
    contact = Contact.objects.create(inbox=inbox, address="+12025550177", kind="phone")
    thread = Thread.objects.create(inbox=inbox, contact=contact, our_address="+1", seq=0)
    return inbox.pk, thread.pk
