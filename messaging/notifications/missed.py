"""E-mail agents about what they missed: unread notifications that no open page showed them."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.db import connection, transaction
from django.db.models import Max
from django.urls import reverse
from django.utils import timezone

from inboxes.emails import Email, EmailNotSent, send_email, sends_email
from inboxes.models import Agent
from messaging.models import EmailPreference, Notification
from messaging.models.notifications import NotificationQuerySet
from messaging.stream import jobs

log = logging.getLogger(__name__)

_SALT = "messaging.missed-e-mails"
DUE_AT_ONCE = 500

# For each agent one look into the index of unread notifications: the LIMIT keeps it so.
_FIND_DUE = """
SELECT wish.agent_id
  FROM messaging_emailpreference AS wish
  JOIN inboxes_agent AS agent ON agent.id = wish.agent_id
 CROSS JOIN LATERAL (
       SELECT FROM messaging_notification AS told
        WHERE told.agent_id = wish.agent_id AND told.read_at IS NULL AND told.id > wish.told_until
          AND told.created_at <= %(now)s - wish.minutes * interval '1 minute'
        LIMIT 1) AS missed
 WHERE agent.is_active AND agent.email <> ''
   AND (wish.sent_at IS NULL OR wish.sent_at <= %(now)s - wish.minutes * interval '1 minute')
 LIMIT %(count)s
"""

# Whoever has a page open is shown what comes, up to now.
_NOTE_PAGES = """
UPDATE messaging_emailpreference SET told_until = newest.id
  FROM (SELECT coalesce(max(id), 0) AS id FROM messaging_notification) AS newest
 WHERE agent_id = ANY(%(agents)s) AND told_until < newest.id
"""


@dataclass(frozen=True, slots=True)
class MissedInbox:
    """Hold what was missed in one inbox."""

    name: str
    messages: int
    mentions: int
    failures: int
    assigned: int = 0
    waiting: int = 0
    snoozed: int = 0

    @property
    def words(self) -> str:
        counted = [
            (self.mentions, "mention of you", "mentions of you"),
            (self.assigned, "conversation assigned to you", "conversations assigned to you"),
            (self.waiting, "text waiting for a reply", "texts waiting for a reply"),
            (self.snoozed, "snooze that ended", "snoozes that ended"),
            (self.messages, "message", "messages"),
            (
                self.failures,
                "text of yours that didn't arrive",
                "texts of yours that didn't arrive",
            ),
        ]
        parts = [f"{count} {one if count == 1 else many}" for count, one, many in counted if count]
        return ", ".join(parts)


@transaction.atomic
def choose_emails(*, agent: Agent, minutes: int | None) -> None:
    """E-mail the agent about what they miss from now on, or never, if `minutes` is None."""
    if minutes is None:
        EmailPreference.objects.filter(agent=agent).delete()
        return
    EmailPreference.objects.update_or_create(
        agent=agent,
        defaults={"minutes": minutes},
        create_defaults={"minutes": minutes, "told_until": _newest_notification()},
    )


def note_open_pages(agent_ids: Collection[int]) -> None:
    """Note that these agents have a page open, which shows them what comes."""
    if not sends_email() or not agent_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(_NOTE_PAGES, {"agents": list(agent_ids)})


def queue_due_emails() -> None:
    """Queue a job for each agent who is to be e-mailed."""
    with connection.cursor() as cursor:
        cursor.execute(_FIND_DUE, {"now": timezone.now(), "count": DUE_AT_ONCE})
        due = [agent_id for (agent_id,) in cursor.fetchall()]
    for agent_id in due:
        jobs.defer_missed_email(agent_id)


def send_missed_email(agent_id: int) -> None:
    """E-mail an agent about what they missed.

    It is recorded before the e-mail leaves, so that no notification is told of twice. If the
    server did not take the e-mail, they are told of with the next one.
    """
    with transaction.atomic():
        wish = (
            EmailPreference.objects.select_for_update(of=("self",), no_key=True)
            .select_related("agent")
            .filter(agent=agent_id, agent__is_active=True)
            .exclude(agent__email="")
            .first()
        )
        if wish is None:
            return
        missed = _missed_by(wish)
        newest = missed.order_by("-pk").values_list("pk", flat=True).first()
        if newest is None:
            return
        inboxes = _count_by_inbox(missed.still_visible())
        before, wish.told_until = wish.told_until, newest
        if inboxes:
            wish.sent_at = timezone.now()
        wish.save(update_fields=["told_until", "sent_at"])
    if inboxes:
        _send(wish, inboxes, told_before=before)


def _newest_notification() -> int:
    newest: int | None = Notification.objects.aggregate(newest=Max("pk"))["newest"]
    return newest or 0


def _missed_by(wish: EmailPreference) -> NotificationQuerySet:
    now = timezone.now()
    waited = timedelta(minutes=wish.minutes)
    if wish.sent_at is not None and wish.sent_at > now - waited:
        return Notification.objects.none()
    return Notification.objects.filter(
        agent=wish.agent_id,
        pk__gt=wish.told_until,
        created_at__lte=now - waited,
    ).unread()


def _count_by_inbox(missed: NotificationQuerySet) -> list[MissedInbox]:
    reasons = Notification.Reason
    counts: dict[str, Counter[str]] = {}
    for name, reason in missed.order_by("inbox__name").values_list("inbox__name", "reason"):
        counts.setdefault(name, Counter())[reason] += 1
    return [
        MissedInbox(
            name=name,
            messages=sum(
                found[one] for one in (reasons.INBOUND, reasons.OUTBOUND, reasons.INTERNAL)
            ),
            mentions=found[reasons.MENTION],
            failures=found[reasons.FAILED] + found[reasons.UNKNOWN],
            assigned=found[reasons.ASSIGNED],
            waiting=found[reasons.WAITING],
            snoozed=found[reasons.SNOOZED],
        )
        for name, found in counts.items()
    ]


def _send(wish: EmailPreference, inboxes: list[MissedInbox], *, told_before: int) -> None:
    same = EmailPreference.objects.filter(pk=wish.pk, told_until=wish.told_until)
    try:
        send_email(_write_email(wish, inboxes))
    except EmailNotSent as error:
        until = wish.told_until if error.is_final else told_before
        same.update(told_until=until, error=error.sentence)
    else:
        same.exclude(error="").update(error="")


def _write_email(wish: EmailPreference, inboxes: list[MissedInbox]) -> Email:
    stop = settings.PUBLIC_URL + stop_path(wish.agent_id)
    host = settings.PUBLIC_HOST.strip("[]")
    return Email(
        to=wish.agent.email,
        subject=_subject(inboxes),
        template="messaging/notifications/email/missed",
        context={
            "agent": wish.agent,
            "inboxes": inboxes,
            "url": settings.PUBLIC_URL + reverse("messaging:notifications"),
            "settings_url": settings.PUBLIC_URL + reverse("messaging:settings"),
            "stop_url": stop,
        },
        headers={
            # The same if it is sent again, so that a mailbox shows it once.
            "Message-ID": f"<missed-{wish.agent_id}-{wish.told_until}@{host}>",
            "List-Unsubscribe": f"<{stop}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )


def _subject(inboxes: Iterable[MissedInbox]) -> str:
    names = [inbox.name for inbox in inboxes]
    listed = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
    return f"You missed something in {listed}"


def stop_path(agent_id: int) -> str:
    """Return the address that turns these e-mails off, and can do nothing else (RFC 8058)."""
    token = signing.Signer(salt=_SALT).sign(str(agent_id))
    return reverse("messaging:stop_emails", args=[token])


def agent_of_stop_token(token: str) -> Agent | None:
    try:
        agent_id = int(signing.Signer(salt=_SALT).unsign(token))
    except (signing.BadSignature, ValueError):
        return None
    return Agent.objects.filter(pk=agent_id).first()
