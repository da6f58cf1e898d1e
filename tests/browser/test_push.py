"""Web push in a browser: the service worker shows what comes while no page is in view."""

from __future__ import annotations

import json
from typing import Any

from tests.browser.pages import OpenPage, wait_until, wait_until_live
from tests.browser.server import Server

SHOWN = """navigator.serviceWorker.ready.then((worker) => worker.getNotifications())
  .then((all) => all.filter(({tag}) => tag.startsWith("test-push")))
  .then((all) => all.map(({title, body}) => [title, body]))"""


def test_a_push_is_shown_while_no_page_is_in_view_and_only_then(
    open_page: OpenPage, server: Server
) -> None:
    page = open_page("cho", is_whole=True)
    wait_until_live(page)
    page.context.grant_permissions(["notifications"], origin=server.url)
    page.evaluate(
        "navigator.serviceWorker.register('/service-worker.js', {scope: '/'})"
        ".then(() => navigator.serviceWorker.ready).then(() => 1)"
    )
    tools = page.context.new_cdp_session(page)
    known: list[dict[str, Any]] = []
    tools.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: known.extend(event["registrations"]),
    )
    tools.send("ServiceWorker.enable")
    wait_until(lambda: page.title() and known)

    def push(body: str) -> None:
        tag = f"test-push {body}"
        words = {"title": "Front Desk", "body": body, "tag": tag, "url": "/notifications/"}
        tools.send(
            "ServiceWorker.deliverPushMessage",
            {
                "origin": server.url,
                "registrationId": known[-1]["registrationId"],
                "data": json.dumps(words),
            },
        )

    push("In view")
    page.goto("about:blank")
    push("Out of view")
    page.goto(f"{server.url}/")
    wait_until(lambda: page.evaluate(SHOWN))
    assert page.evaluate(SHOWN) == [["Front Desk", "Out of view"]]
