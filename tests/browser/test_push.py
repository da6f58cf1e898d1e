"""Web push in a browser: the service worker shows what comes while no page is in view."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.browser.house import eventually
from tests.browser.test_notifications import People, people

__all__ = ["people"]

pytestmark = pytest.mark.browser

NEEDS_WHOLE_CHROMIUM = True


def test_a_push_is_shown_while_no_page_is_in_view_and_only_then(people: People) -> None:
    page = people.sign_in("cho", stub="")
    context = page.context
    context.grant_permissions(["notifications"], origin=people.url)
    page.evaluate(
        "navigator.serviceWorker.register('/service-worker.js', {scope: '/'})"
        ".then(() => navigator.serviceWorker.ready).then(() => 1)"
    )
    tools = context.new_cdp_session(page)
    known: list[dict[str, Any]] = []
    tools.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: known.extend(event["registrations"]),
    )
    tools.send("ServiceWorker.enable")
    for _ in range(100):
        page.wait_for_timeout(100)
        if known:
            break
    words = {"title": "Front Desk", "body": "Hello", "tag": "message-1", "url": "/notifications/"}
    push = {
        "origin": people.url,
        "registrationId": known[-1]["registrationId"],
        "data": json.dumps(words),
    }
    shown = (
        "navigator.serviceWorker.ready.then((worker) => worker.getNotifications())"
        ".then((all) => all.filter(({tag}) => tag === 'message-1'))"
        ".then((all) => all.map(({title, body}) => ({title, body})))"
    )
    tools.send("ServiceWorker.deliverPushMessage", push)
    page.wait_for_timeout(300)
    assert page.evaluate(shown) == []
    page.goto("about:blank")
    tools.send("ServiceWorker.deliverPushMessage", push)
    page.wait_for_timeout(300)
    page.goto(f"{people.url}/")
    eventually(lambda: page.evaluate(shown) == [{"title": "Front Desk", "body": "Hello"}])
