"""The page of notifications, and the bell icon that leads to it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inboxes.actions import remove_member
from messaging.models import Message, Notification
from messaging.notifications.lists import unread_counts
from messaging.stream.notifying import mark_notifications_read
from tests.cast import DISPATCH, Cast, client_of
from tests.markup import without_bdi

HTMX = {"HX-Request": "true"}


def rows_of(html: str) -> list[int]:
    return [int(pk) for pk in re.findall(r'<li id="notice-(\d+)"', html)]


def test_the_bell_icon_shows_the_count_on_every_list(cast: Cast) -> None:
    client = client_of(cast.ana)
    assert 'aria-label="Notifications"' in client.get("/").content.decode()
    cast.thread()
    cast.thread(to=DISPATCH)
    for path in ("/", f"/inboxes/{cast.front_desk.pk}/", "/notifications/", "/settings/"):
        assert 'aria-label="Notifications, 2 unread"' in client.get(path).content.decode(), path


def test_unread_rows_come_first_then_the_newest(cast: Cast) -> None:
    for n in range(4):
        cast.text_in(f"Text {n}")
    mine = list(Notification.objects.filter(agent=cast.ana).order_by("pk"))
    mark_notifications_read(agent=cast.ana, notification_id=mine[3].pk)
    mark_notifications_read(agent=cast.ana, notification_id=mine[1].pk)
    html = client_of(cast.ana).get("/notifications/").content.decode()
    assert rows_of(html) == [mine[n].pk for n in (2, 0, 3, 1)]


def test_each_row_shows_reason_inbox_contact_and_words(cast: Cast) -> None:
    thread = cast.thread()
    cast.answer(thread, "We are open until six", author=cast.ben)
    cast.note(thread, "Psst <b>@ana</b>", author=cast.cho)
    html = client_of(cast.ana).get("/notifications/").content.decode()
    for words in ("New text · Front Desk", "Text sent by Ben · Front Desk", "Cho mentioned you"):
        assert words in without_bdi(html)
    assert "Is anybody there?" in html
    assert "(202) 555-0177" in html
    assert "Psst &lt;b&gt;@ana&lt;/b&gt;" in html
    last = Message.objects.latest("pk")
    assert f"/threads/{thread.pk}/?at={last.pk}#message-{last.pk}" in html


def test_pages_follow_by_cursor_over_unread_and_read(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.notifications.lists.PAGE_SIZE", 8)
    for n in range(20):
        cast.text_in(f"Text {n}")
    mine = Notification.objects.filter(agent=cast.ana).order_by("-pk")
    mine.filter(pk__in=[n.pk for n in mine[3:12]]).update(read_at=timezone.now())
    client, path = client_of(cast.ana), "/notifications/"
    seen: list[int] = []
    for _ in range(3):
        html = client.get(path, headers=HTMX if seen else {}).content.decode()
        seen += rows_of(html)
        more = re.search(r'href="(/notifications/\?after=[^"]+)"', html)
        path = more[1] if more else ""
    assert path == ""
    unread = list(mine.filter(read_at=None).values_list("pk", flat=True))
    read = list(mine.exclude(read_at=None).values_list("pk", flat=True))
    assert seen == unread + read
    assert len(seen) == 20


def test_the_page_makes_as_many_queries_for_many_as_for_few(cast: Cast) -> None:
    counts: list[int] = []
    for _ in range(2):
        cast.text_in("One more")
        for number in range(8 * len(counts)):
            cast.text_in("More", sender=f"+1202555{1000 + number}")
        with CaptureQueriesContext(connection) as queries:
            client = client_of(cast.ana)
            client.get("/notifications/")
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("after", ["x", "2-1", "1-x", "1", "1-1-1", f"1-{2**63}", "0-²"])
def test_an_invalid_cursor_is_a_404(cast: Cast, after: str) -> None:
    assert client_of(cast.ana).get("/notifications/", {"after": after}).status_code == 404


def test_one_and_all_are_marked_as_read(cast: Cast) -> None:
    for n in range(3):
        cast.text_in(f"Text {n}")
    client = client_of(cast.ana)
    first = Notification.objects.filter(agent=cast.ana).order_by("pk")[0]
    assert client.get(f"/notifications/{first.pk}/read/").status_code == 302
    assert client.post(f"/notifications/{first.pk}/read/", headers=HTMX).status_code == 204
    assert unread_counts([cast.ana.pk])[cast.ana.pk] == 2
    answer = client.post("/notifications/read/")
    assert (answer.status_code, answer["Location"]) == (302, "/notifications/")
    assert unread_counts([cast.ana.pk, cast.ben.pk]) == {cast.ana.pk: 0, cast.ben.pk: 3}


def test_another_agents_notification_is_not_found(cast: Cast) -> None:
    cast.thread()
    bens = Notification.objects.get(agent=cast.ben)
    for path in (f"/notifications/{bens.pk}/read/", "/notifications/999999/read/"):
        assert client_of(cast.ana).post(path).status_code == 404
    bens.refresh_from_db()
    assert bens.read_at is None


def test_notifications_of_an_inbox_that_was_left_are_gone(cast: Cast) -> None:
    thread = cast.thread()
    cast.text_in("For dispatch", to=DISPATCH)
    mine = Notification.objects.get(agent=cast.ben, thread=thread)
    remove_member(inbox=cast.front_desk, agent=cast.ben, changed_by=None)
    client = client_of(cast.ben)
    html = client.get("/notifications/").content.decode()
    assert "Is anybody there?" not in html
    assert "For dispatch" in html
    assert unread_counts([cast.ben.pk])[cast.ben.pk] == 1
    assert client.post(f"/notifications/{mine.pk}/read/").status_code == 404


def test_strangers_are_sent_to_sign_in(client: Any, db: None) -> None:
    for path in ("/notifications/", "/settings/"):
        assert client.get(path)["Location"].startswith("/sign-in/")
