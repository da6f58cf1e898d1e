"""Send web push messages, in the worker. The content is drawn at the last moment."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from datetime import timedelta
from threading import Thread
from typing import TYPE_CHECKING

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from inboxes.database import release_connection
from inboxes.models import Agent
from inboxes.sessions import find_live_sessions
from inboxes.sign_in import demand
from messaging.models import Notification, PushSubscription
from messaging.models.notifications import MOST_BROWSERS
from messaging.notifications import webpush, words
from messaging.stream import jobs

if TYPE_CHECKING:
    from messaging.models.notifications import NotificationQuerySet

log = logging.getLogger(__name__)

GONE = {404, 410}
CALL_TIMEOUT = 10.0  # Seconds for a whole call, including the name look-up

POLL_INTERVAL = 0.25  # Seconds between a waiting job's checks whether to stop

# In a row. The pauses between them take at least 21 minutes: a push service that is away for less
# loses no subscription.
MAX_FAILURES = 5

# The pause after that many failures in a row.
PAUSES = {2: timedelta(minutes=1), 3: timedelta(minutes=4), 4: timedelta(minutes=16)}


def push_message(message_id: int) -> None:
    """Defer a push for each agent who was notified of a message, each in a job of its own."""
    with transaction.atomic():
        notification = _unread_about(message=message_id).values("agent")
        browsers = PushSubscription.objects.filter(agent__in=notification, agent__is_active=True)
        agents = browsers.order_by("agent").distinct("agent").values_list("agent", flat=True)
        jobs.defer_agent_pushes(message_id, list(agents))


def push_agent(
    agent_id: int,
    message_id: int | None = None,
    *,
    activity_id: int | None = None,
    is_ending: Callable[[], bool],
) -> None:
    """Push a message or an activity to an agent, unless they have read it or may no longer see
    it."""
    about = {"activity": activity_id} if message_id is None else {"message": message_id}
    notification = _unread_about(**about).filter(agent=agent_id).with_words().first()
    if notification is not None:
        _push_to_browsers(agent_id, words.popup_content(notification), is_ending)


def push_test(agent_id: int, *, is_ending: Callable[[], bool]) -> None:
    """Show an agent that push works."""
    content: dict[str, object] = {
        "title": "Partyline",
        "body": "This is what a notification looks like.",
        "url": reverse("messaging:settings"),
        "tag": "test",
    }
    _push_to_browsers(agent_id, content, is_ending)


def reachable_subscriptions(agent_id: int) -> list[PushSubscription]:
    """Return the agent's browsers that are still signed in, with two steps where those are
    demanded, and not paused after failures."""
    agent = demand.with_demand(Agent.objects.filter(pk=agent_id, is_active=True)).first()
    if agent is None:
        return []
    found = list(PushSubscription.objects.filter(agent=agent).best_first()[:MOST_BROWSERS])
    sessions = find_live_sessions(agent, [one.session_key for one in found])
    alive = {key for key, data in sessions.items() if demand.lacking(agent, data) is None}
    session_hash = agent.get_session_auth_hash()
    now = timezone.now()
    return [
        one
        for one in found
        if one.session_key in alive
        and one.session_hash == session_hash
        and (one.paused_until is None or one.paused_until <= now)
    ]


def _unread_about(**about: int | None) -> NotificationQuerySet:
    return Notification.objects.filter(**about).unread().still_visible()


def _push_to_browsers(
    agent_id: int, content: dict[str, object], is_ending: Callable[[], bool]
) -> None:
    """Call all browsers at the same time, so that none waits for another.

    No database connection is held meanwhile. A call without an answer when the time is over has
    failed; one without an answer when the process ends leaves the subscription as it was.
    """
    browsers = reachable_subscriptions(agent_id)
    if not browsers:
        return
    release_connection()
    plain, end = json.dumps(content).encode(), time.monotonic() + CALL_TIMEOUT
    calls = {_start_call(one, plain, end): one for one in browsers}
    left, is_over = set(calls), False
    while left and not is_over and not is_ending():
        left = wait(left, POLL_INTERVAL, FIRST_COMPLETED).not_done
        is_over = time.monotonic() >= end
    for call, subscription in calls.items():
        if call.done() or is_over:
            _record_outcome(subscription, call)


def _start_call(subscription: PushSubscription, plain: bytes, end: float) -> Future[int]:
    """Start a call in a thread of its own that nothing has to wait for.

    A name look-up cannot be interrupted, and must not hold up a job or the end of the process.
    """
    call: Future[int] = Future()

    def run() -> None:
        try:
            call.set_result(webpush.post_message(subscription, plain, end=end))
        except Exception as error:
            log.debug("How push %s failed:", subscription.pk, exc_info=True)
            call.set_exception(error)

    Thread(target=run, name=f"push-{subscription.pk}", daemon=True).start()
    return call


def _record_outcome(subscription: PushSubscription, call: Future[int]) -> None:
    """Record how a call ended, unless the browser has subscribed again meanwhile."""
    same = PushSubscription.objects.filter(
        pk=subscription.pk,
        agent=subscription.agent_id,
        auth=subscription.auth,
        failures=subscription.failures,
    )
    error = call.exception() if call.done() else TimeoutError()
    status = call.result() if error is None else 0
    if 200 <= status < 300:
        if subscription.failures:
            same.update(failures=0, paused_until=None)
        return
    failures = subscription.failures + 1
    log.warning("Push %s failed: %s", subscription.pk, status or type(error).__name__)
    if status in GONE or failures >= MAX_FAILURES:
        same.delete()
        return
    pause = PAUSES.get(failures)
    same.update(failures=failures, paused_until=pause and timezone.now() + pause)
