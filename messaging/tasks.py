"""Tasks of the worker: deliver texts, recover abandoned jobs, and clean up."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError
from django.utils import timezone
from procrastinate import JobContext, RetryStrategy
from procrastinate.contrib.django import app

from inboxes.database import release_connection
from inboxes.emails import EmailNotSent
from inboxes.invitations import actions as invitations
from inboxes.invitations import sending
from inboxes.invitations.jobs import SEND_LINK, SEND_LOST_PASSWORD_LINK
from inboxes.sign_in.cleaning import delete_expired_sessions
from inboxes.sign_in.wrong_codes import WARN, send_warning
from messaging.accounts import alerts, watching
from messaging.attachments import drafts, inbound, links
from messaging.attachments.jobs import FETCH_ATTACHMENT, WAKE_FETCH, defer_fetch
from messaging.contacts.imports import importing
from messaging.inbound import reconciling
from messaging.inbound.receiving import replay_webhooks
from messaging.models import Attempt, DeliveryState, Message, Number, ScheduledText
from messaging.notifications import missed, push
from messaging.outbound import delivery, lookups, opt_outs, pacing
from messaging.outbound.receipts import delete_parked_receipts
from messaging.outbound.scheduling import delete_ended_texts, send_if_due
from messaging.stream import jobs
from messaging.stream.jobs import (
    ALERT_NUMBER,
    BEHIND_SENDING,
    COMPARE_NUMBER,
    DELIVER_THREAD,
    EMAILS,
    GIVE_TURNS,
    GO_ON_WITH_IMPORT,
    GO_ON_WITH_MANY,
    MAX_BACKLOG,
    NOTIFICATIONS,
    PUSH_AGENT,
    PUSH_MESSAGE,
    PUSH_TEST,
    REPLAY_CAUSE,
    SEND_MISSED,
    SEND_WHEN_DUE,
    SHOW_OPT_OUT,
    TAKE_LABEL_OFF,
    UNASSIGN,
    WAKE_THREAD,
    defer_delivery,
)
from messaging.stream.notifying import delete_old_notifications
from messaging.work import bulk, label_definitions, leaving, waits, waking

log = logging.getLogger(__name__)

# When a worker has had no heartbeat for so long, its jobs go to another.
STALLED_AFTER = timedelta(seconds=15)

# A delivery that runs for longer has ended without a record of its end.
STUCK_AFTER = timedelta(seconds=180)

FORGOTTEN_AFTER = timedelta(seconds=30)
KEPT_HOURS = 7 * 24
DUE_AT_ONCE = 500

DATABASE_TROUBLE = RetryStrategy(
    max_attempts=5, wait=2, retry_exceptions={OperationalError, InterfaceError}
)

# While the e-mail server is away.
MAIL_TROUBLE = RetryStrategy(
    max_attempts=6,
    linear_wait=120,
    retry_exceptions={OperationalError, InterfaceError, EmailNotSent},
)


@contextmanager
def released_connection() -> Iterator[None]:
    """Release the database connection at the end of a job.

    Kept between jobs, a connection that broke when the database restarted would never be replaced.
    """
    try:
        yield
    finally:
        release_connection()


@app.task(name=DELIVER_THREAD, retry=DATABASE_TROUBLE)
def deliver_thread(*, thread_id: int) -> None:
    with released_connection():
        delivery.deliver_thread(thread_id)


@app.task(name=WAKE_THREAD, retry=DATABASE_TROUBLE)
def wake_thread(*, thread_id: int) -> None:
    with released_connection():
        defer_delivery(thread_id)


@app.task(name=GIVE_TURNS)
def give_turns(*, number_id: int) -> None:
    with released_connection():
        number = Number.objects.select_related("account").filter(pk=number_id).first()
        if number is not None:
            pacing.give_turns(number)


# The sixth column holds the seconds.
@app.periodic(cron="* * * * * */15")
@app.task(
    name="reap_stalled_jobs", pass_context=True, queueing_lock="reap_stalled_jobs", priority=10
)
def reap_stalled_jobs(context: JobContext, timestamp: int) -> None:
    """Restart the jobs of dead workers, and wake threads whose job is gone."""
    with released_connection():
        replaced = jobs.replace_abandoned_jobs(
            own_job=context.job.id,
            own_worker=context.job.worker_id,
            stalled_after=STALLED_AFTER,
            stuck_after=STUCK_AFTER,
        )
        if replaced:
            log.warning("Jobs were abandoned and start over as %s.", replaced)
        wake_forgotten_threads()
        pacing.wake_forgotten_numbers()


def wake_forgotten_threads() -> None:
    """Queue a job for every thread that has a queued text or an open attempt but no job.

    Its job may have failed for good while the database was unreachable. A text that waits for its
    number's turn needs no job of its own.
    """
    since = timezone.now() - FORGOTTEN_AFTER
    waiting = Message.objects.filter(
        kind="outbound", state=DeliveryState.QUEUED, created_at__lt=since
    ).exclude(next_try_at__gt=since)
    waiting_for_turn = Message.objects.waiting_for_a_turn().filter(inbox__number__isnull=False)
    waiting = waiting.exclude(pk__in=waiting_for_turn.values("pk"))
    open_attempts = Attempt.objects.filter(state=DeliveryState.SENDING, started_at__lt=since)
    threads = set(waiting.values_list("thread", flat=True))
    threads |= set(open_attempts.values_list("message__thread", flat=True))
    for thread_id in jobs.threads_without_a_job(threads):
        log.warning("Thread %s had no job left and is woken.", thread_id)
        defer_delivery(thread_id)


@app.periodic(cron="* * * * *")
@app.task(name="expire_texts", queueing_lock="expire_texts")
def expire_texts(timestamp: int) -> None:
    """Fail texts that waited too long; an agent can still retry them."""
    with released_connection():
        if count := pacing.expire_texts():
            log.warning("%s texts waited too long and were not sent.", count)


@app.periodic(cron="* * * * *")
@app.task(name="look_up_unknowns", queueing_lock="look_up_unknowns", priority=-MAX_BACKLOG)
def look_up_unknowns(timestamp: int) -> None:
    """Look up unknown attempts, with a lower priority than any queued text."""
    with released_connection():
        if count := lookups.look_up_unknowns():
            log.info("%s texts whose outcome was unknown are settled.", count)


@app.periodic(cron="*/2 * * * *")
@app.task(name="compare_numbers", queueing_lock="compare_numbers", priority=-MAX_BACKLOG)
def compare_numbers(timestamp: int) -> None:
    with released_connection():
        reconciling.compare_numbers()


@app.task(name=COMPARE_NUMBER, retry=DATABASE_TROUBLE)
def compare_number(*, number_id: int) -> None:
    with released_connection():
        number = Number.objects.select_related("account").filter(pk=number_id).first()
        if number is not None:
            reconciling.compare_number(number)


@app.periodic(cron="*/5 * * * *")
@app.task(name="check_connections", queueing_lock="check_connections", priority=-MAX_BACKLOG)
def check_connections(timestamp: int) -> None:
    """Look at the connected numbers that are due: do their texts still come here?"""
    with released_connection():
        watching.check_due_numbers()


@app.task(name=REPLAY_CAUSE, retry=DATABASE_TROUBLE)
def replay_quarantine(*, account_id: int, reason: str, upto: int) -> None:
    with released_connection():
        understood, left = replay_webhooks(account_id=account_id, reason=reason, upto=upto)
        log.info("Of the quarantine %s were understood, %s still not.", understood, left)


@app.task(name=FETCH_ATTACHMENT, retry=DATABASE_TROUBLE)
def fetch_attachment(*, attachment_id: int) -> None:
    with released_connection():
        inbound.fetch_attachment(attachment_id)


@app.task(name=WAKE_FETCH, retry=DATABASE_TROUBLE)
def wake_fetch(*, attachment_id: int) -> None:
    with released_connection():
        defer_fetch(attachment_id)


@app.periodic(cron="*/5 * * * *")
@app.task(name="wake_forgotten_fetches", queueing_lock="wake_forgotten_fetches")
def wake_forgotten_fetches(timestamp: int) -> None:
    with released_connection():
        inbound.requeue_forgotten_fetches()


@app.periodic(cron="41 3 * * *")
@app.task(name="forget_unsent_files", queueing_lock="forget_unsent_files")
def forget_unsent_files(timestamp: int) -> None:
    """Delete uploads that were never sent, and expired public links."""
    with released_connection():
        log.info("%s unsent files were deleted.", drafts.delete_unsent())
        log.info("%s public links are over.", links.delete_expired())


@app.periodic(cron="* * * * * */5")
@app.task(name="look_for_due_texts", queueing_lock="look_for_due_texts")
def look_for_due_texts(timestamp: int) -> None:
    """Queue a job for each due text, so that no failure holds up the others."""
    with released_connection():
        due = ScheduledText.objects.due(timezone.now()).order_by("send_at")
        for text_id in list(due.values_list("pk", flat=True)[:DUE_AT_ONCE]):
            jobs.defer_due_text(text_id)


@app.periodic(cron="* * * * *")
@app.task(name="alert_of_waits", queueing_lock="alert_of_waits", priority=-MAX_BACKLOG)
def alert_of_waits(timestamp: int) -> None:
    """Notify of texts that have waited too long for a reply."""
    with released_connection():
        if count := waits.alert_of_waits():
            log.info("%s texts have waited too long for a reply.", count)


@app.task(name=SEND_WHEN_DUE)
def send_text_when_due(*, text_id: int) -> None:
    with released_connection():
        text = ScheduledText.objects.filter(pk=text_id).first()
        if text is not None:
            send_if_due(text=text)


@app.task(name=SHOW_OPT_OUT, retry=DATABASE_TROUBLE)
def show_opt_out_elsewhere(*, opt_out_id: int, but: list[int]) -> None:
    with released_connection():
        opt_outs.show_opt_out_elsewhere(opt_out_id=opt_out_id, but=but)


@app.periodic(cron="* * * * * */5")
@app.task(name="end_due_snoozes", queueing_lock="end_due_snoozes")
def end_due_snoozes(timestamp: int) -> None:
    """Bring back the threads whose snooze has ended."""
    with released_connection():
        waking.end_due_snoozes()


@app.task(name=TAKE_LABEL_OFF, retry=DATABASE_TROUBLE)
def take_label_off(*, label_id: int) -> None:
    with released_connection():
        label_definitions.take_label_off_all(label_id)


@app.task(name=UNASSIGN, retry=DATABASE_TROUBLE)
def unassign_threads(*, agent_id: int, inbox_ids: list[int]) -> None:
    with released_connection():
        leaving.unassign_all(agent_id=agent_id, inbox_ids=inbox_ids)


@app.task(name=PUSH_MESSAGE, queue=NOTIFICATIONS, priority=BEHIND_SENDING, retry=DATABASE_TROUBLE)
def push_message(*, message_id: int) -> None:
    with released_connection():
        push.push_message(message_id)


@app.task(name=PUSH_AGENT, queue=NOTIFICATIONS, priority=BEHIND_SENDING, pass_context=True)
def push_agent(
    context: JobContext,
    *,
    agent_id: int,
    message_id: int | None = None,
    activity_id: int | None = None,
) -> None:
    with released_connection():
        push.push_agent(
            agent_id,
            message_id,
            activity_id=activity_id,
            is_ending=context.should_abort,
        )


@app.task(name=PUSH_TEST, queue=NOTIFICATIONS, priority=BEHIND_SENDING, pass_context=True)
def push_test(context: JobContext, *, agent_id: int) -> None:
    with released_connection():
        push.push_test(agent_id, is_ending=context.should_abort)


@app.periodic(cron="23 3 * * *")
@app.task(
    name="forget_old_notifications", queueing_lock="forget_old_notifications", queue=NOTIFICATIONS
)
def forget_old_notifications(timestamp: int) -> None:
    """Delete notifications: read ones after a month, unread ones after three."""
    with released_connection():
        log.info("%s old notifications were deleted.", delete_old_notifications())


@app.task(name=SEND_LINK, queue=EMAILS, retry=DATABASE_TROUBLE)
def send_link_by_email(*, link_id: int) -> None:
    with released_connection():
        sending.send_link(link_id)


@app.periodic(cron="*/5 * * * *")
@app.task(name="wake_forgotten_emails", queueing_lock="wake_forgotten_emails", queue=EMAILS)
def wake_forgotten_emails(timestamp: int) -> None:
    with released_connection():
        sending.wake_forgotten_emails()


@app.task(name=SEND_LOST_PASSWORD_LINK, queue=EMAILS, retry=DATABASE_TROUBLE)
def send_lost_password_link(*, agent_id: int | None) -> None:
    with released_connection():
        if agent_id is not None:
            invitations.send_lost_password_link(agent_id=agent_id)


@app.task(name=WARN, queue=EMAILS, retry=MAIL_TROUBLE)
def warn_of_wrong_codes(*, agent_id: int) -> None:
    with released_connection():
        send_warning(agent_id)


@app.task(name=ALERT_NUMBER, queue=EMAILS, retry=MAIL_TROUBLE)
def send_number_alert(*, account_id: int, agent_id: int, since: str) -> None:
    with released_connection():
        alerts.send_alert(account_id, agent_id, datetime.fromisoformat(since))


@app.periodic(cron="* * * * *")
@app.task(name="queue_missed_emails", queueing_lock="queue_missed_emails", queue=EMAILS)
def queue_missed_emails(timestamp: int) -> None:
    """Queue e-mails to agents who want to know what they missed."""
    with released_connection():
        missed.queue_due_emails()


@app.task(name=SEND_MISSED, queue=EMAILS, retry=DATABASE_TROUBLE)
def send_missed_email(*, agent_id: int) -> None:
    with released_connection():
        missed.send_missed_email(agent_id)


@app.periodic(cron="47 3 * * *")
@app.task(name="forget_old_links", queueing_lock="forget_old_links")
def forget_old_links(timestamp: int) -> None:
    """Delete invitations and reset links that ended a month ago."""
    with released_connection():
        log.info("%s old links were forgotten.", invitations.delete_old_links())


@app.periodic(cron="11 * * * *")
@app.task(name="forget_expired_sessions", queueing_lock="forget_expired_sessions")
def forget_expired_sessions(timestamp: int) -> None:
    """Delete sessions that are over; anybody who opens the sign-in page may begin one."""
    with released_connection():
        log.info("%s expired sessions were deleted.", delete_expired_sessions())


@app.periodic(cron="29 3 * * *")
@app.task(name="forget_ended_texts", queueing_lock="forget_ended_texts")
def forget_ended_texts(timestamp: int) -> None:
    """Delete scheduled texts that were sent or deleted a month ago; their messages stay."""
    log.info("%s scheduled texts were forgotten.", delete_ended_texts())


@app.periodic(cron="35 3 * * *")
@app.task(name="forget_parked_receipts", queueing_lock="forget_parked_receipts")
def forget_parked_receipts(timestamp: int) -> None:
    """Delete receipts of texts that something else sent from our numbers."""
    with released_connection():
        log.info("%s parked receipts were forgotten.", delete_parked_receipts())


@app.task(name=GO_ON_WITH_MANY, retry=DATABASE_TROUBLE)
def go_on_with_many(*, action_id: int) -> None:
    """Go on with an action on many threads; after a while let other jobs go first."""
    with released_connection():
        if not bulk.go_on(action_id, seconds=bulk.ROUND):
            jobs.defer_bulk_action(action_id)


@app.periodic(cron="*/2 * * * *")
@app.task(name="wake_forgotten_actions", queueing_lock="wake_forgotten_actions")
def wake_forgotten_actions(timestamp: int) -> None:
    with released_connection():
        bulk.wake_forgotten_actions()


@app.periodic(cron="53 3 * * *")
@app.task(name="forget_old_actions", queueing_lock="forget_old_actions")
def forget_old_actions(timestamp: int) -> None:
    """Delete actions on many threads that can't be undone any more."""
    with released_connection():
        log.info("%s old actions were forgotten.", bulk.delete_old_actions())


@app.task(name=GO_ON_WITH_IMPORT, retry=DATABASE_TROUBLE)
def go_on_with_import(*, import_id: int) -> None:
    """Go on with an import of contacts; after a while let other jobs go first."""
    with released_connection():
        if not importing.go_on(import_id, seconds=importing.ROUND):
            jobs.defer_import(import_id)


@app.periodic(cron="*/2 * * * *")
@app.task(name="wake_forgotten_imports", queueing_lock="wake_forgotten_imports")
def wake_forgotten_imports(timestamp: int) -> None:
    with released_connection():
        importing.wake_forgotten_imports()


@app.periodic(cron="59 3 * * *")
@app.task(name="forget_old_imports", queueing_lock="forget_old_imports")
def forget_old_imports(timestamp: int) -> None:
    """Delete the files and lines of imports of contacts after a month."""
    with released_connection():
        log.info("%s old imports were forgotten.", importing.delete_old_imports())


@app.periodic(cron="17 3 * * *")
@app.task(name="forget_old_jobs", pass_context=True, queueing_lock="forget_old_jobs")
async def forget_old_jobs(context: JobContext, timestamp: int) -> None:
    """Delete jobs that failed or were aborted a week ago."""
    await context.app.job_manager.delete_old_jobs(
        nb_hours=KEPT_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
    )
