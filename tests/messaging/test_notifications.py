"""Who is told of a message, what they see of it, and how it goes away."""

from __future__ import annotations

import json
import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inboxes import counters
from inboxes.actions import remove_member
from inboxes.models import Agent, Membership
from messaging.actions import (
    delete_old_notifications,
    mark_notifications_read,
    set_preference,
    write_message,
)
from messaging.actions.notifying import notify
from messaging.live import reading
from messaging.live.pages import Page, Target
from messaging.live.readers import View, draw_for, draw_missed, draw_notices, draw_personal
from messaging.models import Message, Notification, NotificationPreference
from messaging.notices import notice_list, unread_counts
from tests.cast import ANAS_LINE, CUSTOMER, DISPATCH, Cast, client_of
from threads.actions import set_mute
from threads.models import Thread

Level = NotificationPreference.Level
HTMX = {"HX-Request": "true"}


def told(message: Message) -> dict[str, str]:
    """Handle → reason of those who were notified."""
    return dict(message.notifications.values_list("agent__username", "reason"))


def internal(cast: Cast, thread: Thread, body: str, *, author: Agent | None = None) -> Message:
    return write_message(
        thread=thread,
        author=author or cast.ana,
        body=body,
        form_key=uuid.uuid4(),
        is_internal=True,
    )


def write(cast: Cast, thread: Thread, kind: str) -> Message:
    """A message of each kind; ben reads, and writes none of them."""
    if kind == "inbound":
        return cast.text_in("Hello again")
    if kind == "outbound":
        return cast.answer(thread, "Hello to you")
    return internal(cast, thread, "Look @ben" if kind == "mention" else "Who takes this?")


@pytest.mark.parametrize("kind", ["inbound", "outbound", "internal", "mention"])
@pytest.mark.parametrize("is_muted", [False, True])
@pytest.mark.parametrize("level", [None, *Level])
def test_a_member_is_told_of_what_they_want_and_always_of_a_mention(
    cast: Cast, kind: str, is_muted: bool, level: Level | None
) -> None:
    thread = cast.thread()
    set_mute(thread=thread, agent=cast.ben, is_muted=is_muted)
    if level is not None:
        set_preference(agent=cast.ben, inbox_id=cast.front_desk.pk, level=level)
    wanted = {None: True, Level.EVERYTHING: True, Level.INBOUND: kind == "inbound"}
    is_told = kind == "mention" or (not is_muted and wanted.get(level, False))
    reasons = told(write(cast, thread, kind))
    assert reasons.get("ben") == (kind if is_told else None)
    # One agent's wishes are nobody else's.
    assert reasons.get("cho") == ("internal" if kind == "mention" else kind)
    assert "dov" not in reasons


def test_nobody_is_told_of_what_they_wrote_or_of_mentioning_themselves(cast: Cast) -> None:
    thread = cast.thread()
    assert told(cast.answer(thread, "On my way", author=cast.ana)).keys() == {"ben", "cho"}
    assert told(internal(cast, thread, "@ana is me")) == {"ben": "internal", "cho": "internal"}


def test_a_handle_of_somebody_outside_tells_nobody(cast: Cast) -> None:
    assert "dov" not in told(internal(cast, cast.thread(), "@dov @admin look"))


def test_a_personal_line_tells_its_owner_alone(cast: Cast) -> None:
    assert told(cast.text_in("Just you", to=ANAS_LINE)) == {"ana": "inbound"}


def test_a_deactivated_member_is_not_told(cast: Cast) -> None:
    Agent.objects.filter(pk=cast.ben.pk).update(is_active=False)
    assert told(cast.text_in("Hello")).keys() == {"ana", "cho"}


def test_telling_two_hundred_members_takes_one_statement_as_telling_two_does(cast: Cast) -> None:
    texts = [cast.text_in("Hello", to=DISPATCH), cast.text_in("Hello")]
    people = Agent.objects.bulk_create(
        Agent(username=f"agent{n}", display_name=f"Agent {n}") for n in range(200)
    )
    Membership.objects.bulk_create(
        Membership(inbox=cast.front_desk, agent=agent) for agent in people
    )
    counts = []
    for text in texts:
        text.notifications.all().delete()
        with CaptureQueriesContext(connection) as queries:
            notify(text)
        counts.append((len(queries), text.notifications.count()))
    assert counts == [(1, 2), (1, 203)]


def test_opening_a_thread_reads_its_notifications(cast: Cast) -> None:
    thread, other = cast.thread(), cast.thread(sender="+12025550178")
    assert unread_counts([cast.ana.pk, cast.ben.pk]) == {cast.ana.pk: 2, cast.ben.pk: 2}
    client_of(cast.ana).get(f"/threads/{thread.pk}/")
    assert unread_counts([cast.ana.pk, cast.ben.pk]) == {cast.ana.pk: 1, cast.ben.pk: 2}
    assert Notification.objects.unread().get(agent=cast.ana).thread == other


def test_a_page_reads_as_far_as_it_has_shown_and_no_further(cast: Cast) -> None:
    shown = cast.text_in("Hello")
    later = cast.text_in("Came meanwhile")
    client_of(cast.ana).post(f"/threads/{shown.thread_id}/read/", {"message": shown.pk})
    assert [n.message for n in Notification.objects.unread().filter(agent=cast.ana)] == [later]


# The page


def rows_of(html: str) -> list[int]:
    return [int(pk) for pk in re.findall(r'<li id="notice-(\d+)"', html)]


def test_the_bell_tells_the_count_on_every_list(cast: Cast) -> None:
    client = client_of(cast.ana)
    assert 'aria-label="Notifications"' in client.get("/").content.decode()
    cast.thread()
    cast.thread(to=DISPATCH)
    for path in ("/", f"/inboxes/{cast.front_desk.pk}/", "/notifications/", "/settings/"):
        assert 'aria-label="Notifications, 2 unread"' in client.get(path).content.decode(), path


def test_unread_ones_stand_first_then_the_newest(cast: Cast) -> None:
    for n in range(4):
        cast.text_in(f"Text {n}")
    mine = list(Notification.objects.filter(agent=cast.ana).order_by("pk"))
    mark_notifications_read(agent=cast.ana, notification_id=mine[3].pk)
    mark_notifications_read(agent=cast.ana, notification_id=mine[1].pk)
    html = client_of(cast.ana).get("/notifications/").content.decode()
    assert rows_of(html) == [mine[n].pk for n in (2, 0, 3, 1)]


def test_each_row_tells_why_where_who_and_what(cast: Cast) -> None:
    thread = cast.thread()
    cast.answer(thread, "We are open until six", author=cast.ben)
    internal(cast, thread, "Psst <b>@ana</b>", author=cast.cho)
    html = client_of(cast.ana).get("/notifications/").content.decode()
    for words in ("New text · Front Desk", "Text sent by Ben · Front Desk", "Cho mentioned you"):
        assert words in html
    assert "Is anybody there?" in html
    assert "(202) 555-0177" in html
    assert "Psst &lt;b&gt;@ana&lt;/b&gt;" in html
    last = Message.objects.latest("pk")
    assert f"/threads/{thread.pk}/?at={last.pk}#message-{last.pk}" in html


def test_pages_follow_by_cursor_over_unread_and_read(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.notices.PAGE_SIZE", 8)
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


def test_the_page_asks_as_much_for_many_as_for_few(cast: Cast) -> None:
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
def test_a_place_that_is_none_is_not_found(cast: Cast, after: str) -> None:
    assert client_of(cast.ana).get("/notifications/", {"after": after}).status_code == 404


def test_one_and_all_are_marked_as_read(cast: Cast) -> None:
    for n in range(3):
        cast.text_in(f"Text {n}")
    client = client_of(cast.ana)
    first = Notification.objects.filter(agent=cast.ana).order_by("pk")[0]
    assert client.get(f"/notifications/{first.pk}/read/").status_code == 405
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


# Opening at a message


def test_a_thread_opens_at_a_message_that_lies_further_back(cast: Cast) -> None:
    thread = cast.thread()
    ids = [cast.text_in(f"Text {n}").pk for n in range(65)]
    html = client_of(cast.ana).get(f"/threads/{thread.pk}/?at={ids[20]}").content.decode()
    shown = [int(pk) for pk in re.findall(r'<article id="message-(\d+)"', html)]
    assert shown == ids[10:]
    assert f'data-arrive="{ids[20]}"' in html
    assert f"?before={ids[10]}" in html


def test_far_back_the_page_stands_apart_and_leads_to_the_newest(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.arriving.LONGEST", 45)
    thread = cast.thread()
    ids = [cast.text_in(f"Text {n}").pk for n in range(60)]
    html = client_of(cast.ana).get(f"/threads/{thread.pk}/?at={ids[5]}").content.decode()
    shown = [int(pk) for pk in re.findall(r'<article id="message-(\d+)"', html)]
    assert ids[5] in shown
    assert ids[-1] not in shown
    assert "Show the newest messages" in html
    assert f'id="log-{thread.pk}"' not in html  # live messages would follow a gap
    assert unread_counts([cast.ana.pk])[cast.ana.pk] == 60 - 39


@pytest.mark.parametrize("at", ["x", "0", "-1"])
def test_at_takes_a_message_alone(cast: Cast, at: str) -> None:
    assert client_of(cast.ana).get(f"/threads/{cast.thread().pk}/?at={at}").status_code == 404


def test_a_message_of_another_thread_opens_the_newest_page(cast: Cast) -> None:
    mine, other = cast.text_in("Mine"), cast.text_in("Foreign", to=ANAS_LINE)
    html = client_of(cast.ben).get(f"/threads/{mine.thread_id}/?at={other.pk}").content.decode()
    assert f'id="message-{mine.pk}"' in html
    assert f'id="message-{other.pk}"' not in html


# Live


async def _nothing(_: Any) -> None: ...


def page_of(agent: Agent) -> Page:
    return Page(agent_id=agent.pk, session_key="", session_hash="", send=_nothing, close=_nothing)


def drawn(cast: Cast, since: int, *agents: Agent) -> list[dict[str, Any] | None]:
    """What pages of the agents get that show nothing of Front Desk."""
    targets = [Target.of(page_of(one), cast.front_desk.pk, with_seqs=True) for one in agents]
    _, _, frames = draw_for(cast.front_desk.pk, since, targets)
    return [json.loads(frame) if frame else None for frame in frames]


def test_pages_that_show_nothing_of_the_inbox_are_told_and_outsiders_are_not(cast: Cast) -> None:
    message = cast.text_in("Ring ring")
    ana, ben, dov = drawn(cast, message.seq - 1, cast.ana, cast.ben, cast.dov)
    notification = Notification.objects.get(agent=cast.ana)
    assert ana is not None
    assert ana.keys() == {"notices"}
    assert ana["notices"] == {
        "unread": 1,
        "new": [
            {
                "id": notification.pk,
                "thread": message.thread_id,
                "title": "(202) 555-0177 · Front Desk",
                "body": "Ring ring",
                "url": f"/threads/{message.thread_id}/?at={message.pk}#message-{message.pk}",
                "tag": f"message-{message.pk}",
                "reason": "inbound",
            }
        ],
    }
    assert ben is not None
    assert ben["notices"]["new"][0]["id"] != notification.pk
    assert dov is None
    assert drawn(cast, message.seq, cast.ana) == [None]


def test_the_author_of_a_message_gets_no_notice(cast: Cast) -> None:
    message = internal(cast, cast.thread(), "Hey @ben")
    ana, ben = drawn(cast, message.seq - 1, cast.ana, cast.ben)
    assert ana is None
    assert ben is not None
    assert ben["notices"]["new"][0]["title"] == "Ana Ruiz mentioned you · (202) 555-0177"
    assert ben["notices"]["unread"] == 2


def test_one_read_serves_all_who_look(cast: Cast) -> None:
    message = cast.text_in("Ring ring")
    counts = []
    for agents in ([cast.ana], [cast.ana, cast.ben, cast.cho]):
        with CaptureQueriesContext(connection) as queries:
            drawn(cast, message.seq - 1, *agents)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_reading_tells_all_tabs_of_the_agent(cast: Cast) -> None:
    cast.thread()
    thread = cast.thread(to=DISPATCH)
    mark_notifications_read(agent=cast.ana, thread=thread)
    standing = reading.read_standing(cast.ana.pk)
    assert standing is not None
    views: set[View] = {("top", "", True), (None, "", True)}
    _, frames = draw_personal(standing, standing.agent.seq - 1, views)
    for frame in frames.values():
        assert json.loads(frame)["notices"] == {"unread": 1, "new": []}


def test_a_page_that_was_away_gets_the_count_and_pops_up_what_is_new_alone(cast: Cast) -> None:
    cast.text_in("Old")
    Notification.objects.update(created_at=timezone.now() - timedelta(seconds=61))
    fresh = cast.text_in("New")
    notices = json.loads(draw_notices(cast.ana.pk))["notices"]
    assert notices["unread"] == 2
    assert [one["body"] for one in notices["new"]] == [fresh.body]


def test_catching_up_with_an_inbox_replays_no_popups(cast: Cast) -> None:
    message = cast.text_in("Old")
    page = page_of(cast.ana)
    page.look = page.look.__class__(list=cast.front_desk.pk)
    target = Target.of(page, cast.front_desk.pk, with_seqs=True)
    (frame,) = draw_missed(cast.front_desk.pk, target, {f"l{cast.front_desk.pk}": message.seq - 1})
    assert "notices" not in json.loads(frame)


# Cleaning


def aged(cast: Cast, *, days: int, read_days: int | None = None) -> Notification:
    message = cast.text_in(f"{days} days old")
    mine = Notification.objects.get(agent=cast.ana, message=message)
    Notification.objects.exclude(pk=mine.pk).filter(message=message).delete()
    mine.created_at = timezone.now() - timedelta(days=days)
    if read_days is not None:
        mine.read_at = timezone.now() - timedelta(days=read_days)
    mine.save()
    return mine


def test_old_ones_are_deleted_in_batches_and_the_rest_stays(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.actions.notifying.DELETING_BATCH", 2)
    kept = {
        aged(cast, days=29, read_days=29).pk,
        aged(cast, days=89, read_days=29).pk,
        aged(cast, days=89).pk,
    }
    for _ in range(3):
        aged(cast, days=31, read_days=31)
        aged(cast, days=91)
    assert delete_old_notifications() == 6
    assert set(Notification.objects.values_list("pk", flat=True)) == kept


def test_the_demo_starts_with_few_unread(db: None) -> None:
    call_command("seed_demo", verbosity=0)
    counts = unread_counts(Agent.objects.values_list("pk", flat=True))
    assert 0 < max(counts.values()) < 10


def test_a_sequence_is_taken_with_the_message(cast: Cast) -> None:
    with transaction.atomic():
        seq = counters.next_inbox_seq(cast.front_desk.pk)
    message = cast.text_in("Hello", sender=CUSTOMER)
    assert message.seq == seq + 1
    assert set(message.notifications.values_list("seq", flat=True)) == {message.seq}
    assert len(notice_list(cast.ana).rows) == 1
