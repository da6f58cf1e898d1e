"""Word a notification: the row of the page, and the browser notification."""

from __future__ import annotations

from django.urls import reverse

from inboxes.times import format_duration
from messaging.models import Message, Notification
from messaging.stream.writing import make_excerpt
from threads.direction import isolate_direction
from threads.models import Activity


def notification_url(notification: Notification) -> str:
    """Return the address of the thread, opened at the message if it is about one.

    If it is about many threads, they are found among the agent's own.
    """
    if assigned_count(notification) > 1:
        return f"{reverse('messaging:messages')}?only=mine"
    thread = reverse("messaging:conversation", args=[notification.thread_id])
    if notification.message_id is None:
        return thread
    return f"{thread}?at={notification.message_id}#message-{notification.message_id}"


def excerpt(notification: Notification) -> str:
    """Return the message that it is about, or else the thread's last one, in one line.

    Nothing if it is about many threads.
    """
    if assigned_count(notification) > 1:
        return ""
    if notification.message is None:
        return notification.thread.last_excerpt
    return make_excerpt(notification.message.summary)


def assigned_count(notification: Notification) -> int:
    """Return how many threads an agent was assigned with it, if it is about that."""
    is_assigned = notification.reason == Notification.Reason.ASSIGNED
    activity = notification.activity
    count: int = activity.details.get("count", 1) if is_assigned and activity else 0
    return count


def row_reason(notification: Notification) -> str:
    """Return who did what, for a row of the page."""
    message, activity = notification.message, notification.activity
    if activity is not None:
        by = activity.actor.short_name if activity.actor else ""
        return _work_in_words(notification, activity, by)
    if message is None:
        return str(notification.get_reason_display())
    if notification.is_about_failure:
        return f"{notification.get_reason_display()}: your text"
    if message.is_automatic:
        is_internal = message.kind == Message.Kind.INTERNAL
        return "Text not sent" if is_internal else "Automatic reply"
    author = message.author.short_name if message.author else "Partyline"
    if notification.reason == Notification.Reason.MENTION:
        return f"{author} mentioned you"
    if message.kind == Message.Kind.INBOUND:
        return "Reaction" if message.is_shown_reaction else "New text"
    if message.kind == Message.Kind.INTERNAL:
        return f"Internal message by {author}"
    return f"Text sent by {author}"


def popup_content(notification: Notification) -> dict[str, object]:
    """Return what the page's script and the service worker show.

    `at` is in milliseconds: the device words it in its own language and time zone. A failure says
    what to do.
    """
    message = notification.message
    failure = message.reason if message and notification.is_about_failure else ""
    return {
        "id": notification.pk,
        "thread": notification.thread_id,
        "title": _popup_title(notification),
        "body": failure or excerpt(notification),
        "url": notification_url(notification),
        "tag": _popup_tag(notification),
        "reason": notification.reason,
        "at": round(notification.created_at.timestamp() * 1000),
    }


def _popup_title(notification: Notification) -> str:
    """Return who did what, for the first line of a browser notification."""
    contact = isolate_direction(str(notification.thread.contact))
    activity = notification.activity
    if activity is not None:
        by = isolate_direction(activity.actor.display_name) if activity.actor else ""
        if assigned_count(notification) > 1:
            return _work_in_words(notification, activity, by)
        return f"{_work_in_words(notification, activity, by)} · {contact}"
    if notification.is_about_failure:
        return f"{notification.get_reason_display()}: your text to {contact}"
    return _message_title(notification, contact)


def _message_title(notification: Notification, contact: str) -> str:
    message = notification.message
    if message is None or message.kind == Message.Kind.INBOUND:
        return f"{contact} · {isolate_direction(notification.inbox.name)}"
    if message.is_automatic and message.kind == Message.Kind.INTERNAL:
        return f"Text not sent · {contact}"
    if message.is_automatic:
        return f"Automatic reply to {contact}"
    author = isolate_direction(message.author.display_name if message.author else "Partyline")
    if notification.reason == Notification.Reason.MENTION:
        return f"{author} mentioned you · {contact}"
    if message.kind == Message.Kind.INTERNAL:
        return f"{author}, internally · {contact}"
    return f"{author} to {contact}"


def _popup_tag(notification: Notification) -> str:
    """Return what a browser shows once. A failure has a tag of its own each time."""
    if notification.message_id is None:
        return f"activity-{notification.activity_id}"
    if notification.is_about_failure:
        return f"failure-{notification.pk}"
    return f"message-{notification.message_id}"


def _work_in_words(notification: Notification, activity: Activity, by: str) -> str:
    """Return what happened to the work on a thread; `by` names who did it, if an agent did."""
    reasons = Notification.Reason
    if notification.reason == reasons.ASSIGNED:
        count = assigned_count(notification)
        what = f"{count:,} conversations" if count > 1 else "a conversation"
        return f"{by} assigned you {what}" if by else "Assigned to you"
    if notification.reason == reasons.WAITING:
        return f"Waiting for a reply for {format_duration(activity.details.get('minutes', 0))}"
    return str(notification.get_reason_display())
