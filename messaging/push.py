"""Waking browsers: the worker's part of web push. What is said is written at the last moment."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable

import httpx
from django.urls import reverse

from messaging import notices, webpush
from messaging.live.reading import live_sessions
from messaging.models import Notification, PushSubscription

log = logging.getLogger(__name__)

GONE = {404, 410}


def push_message(message_id: int) -> None:
    """Tell of a message those who were notified, have not read it, and may still see it."""
    told = Notification.objects.filter(message=message_id).unread().still_visible().with_words()
    words = {one.agent_id: notices.popup(one) for one in told}
    _push((one, words[one.agent_id]) for one in awake(words))


def push_test(agent_id: int) -> None:
    """Show an agent that it works."""
    words: dict[str, object] = {
        "title": "Partyline",
        "body": "This is how a notification looks.",
        "url": reverse("messaging:settings"),
        "tag": "test",
    }
    _push((one, words) for one in awake([agent_id]))


def awake(agent_ids: Iterable[int]) -> list[PushSubscription]:
    """The browsers of these agents that are still signed in."""
    asked = PushSubscription.objects.filter(agent__in=agent_ids, agent__is_active=True)
    found = list(asked.select_related("agent").order_by("pk"))
    alive = live_sessions(one.session_key for one in found)
    return [
        one
        for one in found
        if one.session_key in alive and one.session_hash == one.agent.get_session_auth_hash()
    ]


def _push(wanted: Iterable[tuple[PushSubscription, dict[str, object]]]) -> None:
    """One failure does not keep the others from being told; what is gone is forgotten."""
    with webpush.new_client() as client:
        for subscription, words in wanted:
            plain = json.dumps(words).encode()
            try:
                status = webpush.post(subscription, plain, client=client)
            except (webpush.BadEndpoint, OSError, httpx.HTTPError, ValueError) as error:
                log.warning("Push %s failed: %s", subscription.pk, type(error).__name__)
                continue
            if status in GONE:
                subscription.delete()
            elif status >= 400:
                log.warning("Push %s was refused: %s", subscription.pk, status)
