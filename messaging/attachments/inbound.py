"""Attachments of inbound texts: recorded with the text, fetched by a worker, shown when ready.

The text itself does not wait for them.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from inboxes import counters, encryption
from inboxes.database import release_connection
from inboxes.models import Inbox
from messaging.attachments import jobs
from messaging.attachments.fetching import NOT_GIVEN, FetchError, fetch_media, media_network
from messaging.attachments.isolation import DecoderBusy
from messaging.attachments.sniffing import is_layout
from messaging.attachments.storing import StoredFile, store_file
from messaging.carriers import events
from messaging.models import Attachment, Message
from messaging.stream import writing
from threads.models import Thread

log = logging.getLogger(__name__)

# In one text. No carrier hands over more than ten.
MAX_FILES = 20

RETRY_DELAYS = (5, 30, 120)  # Seconds before each retry of a failure that may pass

NOT_KEPT = "This file couldn't be saved. Ask an administrator, then try again."
TOO_MANY = "This text came with more files than Partyline accepts."
MISSING = (
    "A picture or file came with this text, but the carrier doesn't say where it is. Ask the "
    "customer to send it again."
)


def count_announced(media: Sequence[events.InboundMedia]) -> dict[str, int]:
    """Return counts for the columns of the text, by the types that the carrier states."""
    pictures = sum(_guess_kind(one) == Attachment.Kind.PICTURE for one in media[:MAX_FILES])
    files = min(len(media), MAX_FILES + 1) - pictures
    return {"picture_count": pictures, "file_count": files}


def record_media(message: Message, media: Sequence[events.InboundMedia]) -> None:
    """Record what came with a text, and have it fetched. Call in the text's own transaction."""
    attachments = [
        Attachment(
            thread_id=message.thread_id,
            message=message,
            kind=_guess_kind(one),
            source_url=one.url,
            source_sha256=one.sha256[:64],
            state=Attachment.State.WAITING if one.url else Attachment.State.FAILED,
            reason="" if one.url else MISSING,
        )
        for one in media[:MAX_FILES]
    ]
    if len(media) > MAX_FILES:
        rest = Attachment(thread_id=message.thread_id, message=message, kind=Attachment.Kind.FILE)
        rest.state, rest.reason = Attachment.State.FAILED, TOO_MANY
        attachments.append(rest)
    for one in Attachment.objects.bulk_create(attachments):
        if one.source_url:
            jobs.defer_fetch(one.pk)


def _guess_kind(medium: events.InboundMedia) -> str:
    """Assume a picture where the carrier states no type; it nearly always is one."""
    is_picture = not medium.content_type or medium.content_type.lower().startswith("image/")
    return Attachment.Kind.PICTURE if is_picture else Attachment.Kind.FILE


def fetch_attachment(attachment_id: int) -> None:
    """Fetch a waiting attachment, and show it, or why it cannot be shown."""
    waiting = Attachment.objects.filter(pk=attachment_id, state=Attachment.State.WAITING)
    attachment = waiting.select_related("message__account").first()
    if attachment is None:
        return
    try:
        data = _fetch_bytes(attachment)
        if is_layout(data):
            _drop_layout(attachment)
            return
        stored = store_file(data)
    except FetchError as error:
        _record_failure(attachment, error)
        return
    except DecoderBusy as error:
        _record_failure(attachment, _storage_error(error))
        return
    except (OperationalError, InterfaceError):
        raise  # its job is tried again
    except Exception as error:
        # A fault of the storage or of ours must not be retried for ever in silence.
        log.exception("Attachment %s could not be kept.", attachment.pk)
        _record_failure(attachment, _storage_error(error))
        return
    if not _record_arrival(attachment, stored):
        stored.delete()


def _fetch_bytes(attachment: Attachment) -> bytes:
    """Fetch without holding a database connection. Raises FetchError."""
    account = attachment.message.account if attachment.message else None
    if account is None or not account.is_on:
        raise FetchError("The carrier account is turned off. Ask an administrator.")
    try:
        credentials = account.get_credentials()
    except encryption.UndecryptableError as error:
        raise FetchError(NOT_GIVEN) from error
    release_connection()
    request = account.adapter.media_request(attachment.source_url, credentials)
    return fetch_media(
        request, sha256=attachment.source_sha256, network=media_network(account.carrier)
    )


def _storage_error(cause: Exception) -> FetchError:
    error = FetchError(NOT_KEPT, is_passing=True)
    error.__cause__ = cause
    return error


def _record_failure(attachment: Attachment, error: FetchError) -> None:
    cause = type(error.__cause__ or error).__name__
    log.warning("Attachment %s could not be fetched: %s", attachment.pk, cause)
    tries = attachment.tries + 1
    if error.is_passing and tries <= len(RETRY_DELAYS):
        with transaction.atomic():
            Attachment.objects.filter(pk=attachment.pk).update(tries=tries)
            wait = timedelta(seconds=RETRY_DELAYS[tries - 1])
            jobs.defer_fetch(attachment.pk, at=timezone.now() + wait)
        return
    _end_waiting(attachment, state=Attachment.State.FAILED, reason=error.sentence, tries=tries)


def _record_arrival(attachment: Attachment, stored: StoredFile) -> bool:
    """Return False if another worker was faster."""
    return _end_waiting(attachment, state=Attachment.State.READY, reason="", **stored.columns)


@transaction.atomic
def _drop_layout(attachment: Attachment) -> None:
    """Delete what only says how a phone lays out the pictures of the text."""
    message = attachment.message
    if message is None:
        return
    seq = counters.next_inbox_seq(message.inbox_id)
    waiting = Attachment.objects.filter(pk=attachment.pk, state=Attachment.State.WAITING)
    if waiting.delete()[0]:
        _update_counts(message, seq)


@transaction.atomic
def _end_waiting(attachment: Attachment, **columns: object) -> bool:
    message = attachment.message
    if message is None:
        return False
    seq = counters.next_inbox_seq(message.inbox_id)
    waiting = Attachment.objects.filter(pk=attachment.pk, state=Attachment.State.WAITING)
    if not waiting.update(**columns):
        return False
    _update_counts(message, seq)
    return True


def _update_counts(message: Message, seq: int) -> None:
    """Publish the message again, and update its summary in lists if the counts have changed."""
    kinds = list(message.attachments.values_list("kind", flat=True))
    pictures = kinds.count(Attachment.Kind.PICTURE)
    before = message.summary
    writing.change_message(message, seq, picture_count=pictures, file_count=len(kinds) - pictures)
    if message.summary == before:
        return
    last = {"last_message_id": message.pk}
    summary = writing.make_excerpt(message.summary)
    Thread.objects.filter(pk=message.thread_id, **last).update(last_excerpt=summary, seq=seq)
    Inbox.objects.filter(pk=message.inbox_id, **last).update(last_excerpt=summary)


@transaction.atomic
def fetch_again(*, attachment: Attachment) -> Attachment:
    """Fetch a failed attachment again; leave one that arrived or is waiting unchanged."""
    message = attachment.message
    if message is None:
        return attachment
    seq = counters.next_inbox_seq(message.inbox_id)
    failed = Attachment.objects.filter(pk=attachment.pk, state=Attachment.State.FAILED)
    if failed.exclude(source_url="").update(state=Attachment.State.WAITING, reason="", tries=0):
        writing.change_message(message, seq)
        jobs.defer_fetch(attachment.pk)
    attachment.refresh_from_db()
    return attachment


def requeue_forgotten_fetches() -> None:
    """Queue waiting attachments that have no job, because the database was away."""
    since = timezone.now() - timedelta(minutes=5)
    waiting = Attachment.objects.filter(state=Attachment.State.WAITING, created_at__lt=since)
    for attachment_id in jobs.find_without_job(waiting.values_list("pk", flat=True)):
        log.warning("Attachment %s had been forgotten and is fetched.", attachment_id)
        jobs.defer_fetch(attachment_id)
