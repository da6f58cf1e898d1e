"""Unread marks and counts of threads and inboxes for each agent, and the line "New"."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from channels.db import database_sync_to_async as in_database
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inboxes.actions import add_member, remove_member
from inboxes.models import Agent, Membership
from messaging.conversations.history import PAGE_SIZE
from messaging.models import Message
from tests.cast import ANAS_LINE, DISPATCH, Cast, client_of
from tests.markup import read_page
from tests.messaging.live.live_pages import Element, new_tab, parse_elements
from threads import unread
from threads.actions import change_state
from threads.models import Thread, ThreadState
from threads.unread import count_unread_threads

HTMX = {"HX-Request": "true"}


def get_row(agent: Agent, what: Thread | str) -> Element:
    """Return a thread's row in its list, or the row of the inbox with that key."""
    path = "/"
    if isinstance(what, Thread):
        path = "/" if what.is_personal else f"/inboxes/{what.inbox_id}/"
        what = f"thread-{what.pk}"
    page = read_page(client_of(agent).get(path))
    return {element.id: element for element in parse_elements(page)}[what]


def unread_count(agent: Agent, what: Thread | str) -> int | None:
    """Return the number on the mark; 0 for a mark without a number, None without a mark."""
    found = get_row(agent, what)
    if "unread" not in found.marks:
        return None
    number = re.search(r"(\d+)\+? unread$", found.words)
    return int(number[1]) if number else 0


def open_thread(agent: Agent, thread: Thread) -> str:
    return read_page(client_of(agent).get(f"/threads/{thread.pk}/"))


def test_a_thread_counts_what_each_agent_has_not_read(cast: Cast) -> None:
    thread = cast.thread()
    cast.text_in("Hello?")
    assert [unread_count(agent, thread) for agent in (cast.ana, cast.ben)] == [2, 2]
    open_thread(cast.ana, thread)
    assert [unread_count(agent, thread) for agent in (cast.ana, cast.ben)] == [None, 2]
    cast.text_in("Anybody?")
    cast.note(thread, "A word", author=cast.cho)
    assert [unread_count(agent, thread) for agent in (cast.ana, cast.ben, cast.cho)] == [
        2,
        4,
        None,
    ]
    cast.answer(thread, "Yes", author=cast.ben)
    assert [unread_count(agent, thread) for agent in (cast.ana, cast.ben, cast.cho)] == [
        3,
        None,
        1,
    ]


def test_what_two_tabs_write_at_the_same_time_takes_no_read_mark_back(cast: Cast) -> None:
    """Each has looked at the mark before the other one wrote; the older text comes last."""
    thread = cast.thread()
    newest = cast.text_in("And another thing")
    for message in (newest, Message.objects.filter(thread=thread).earliest("pk")):
        change_state(
            thread=thread,
            agent=cast.ana,
            last_read_id=message.pk,
            read_count=message.position,
        )
    state = ThreadState.objects.get(thread=thread, agent=cast.ana)
    assert (state.last_read_id, state.read_count) == (newest.pk, newest.position)


def test_an_inbox_counts_its_unread_threads(cast: Cast) -> None:
    desk, dispatch = f"inbox-{cast.front_desk.pk}", f"inbox-{cast.dispatch.pk}"
    threads = [cast.thread(sender=f"+1202555020{index}") for index in range(3)]
    cast.text_in("Twice", sender="+12025550200")
    cast.thread(to=DISPATCH)
    assert [unread_count(cast.ana, key) for key in (desk, dispatch)] == [3, 1]
    open_thread(cast.ana, threads[0])
    assert [unread_count(cast.ana, key) for key in (desk, dispatch)] == [2, 1]
    assert unread_count(cast.ben, desk) == 3
    for thread in threads:
        open_thread(cast.ana, thread)
    assert [unread_count(cast.ana, key) for key in (desk, dispatch)] == [None, 1]


def test_hidden_threads_are_not_counted(cast: Cast) -> None:
    thread = cast.thread()
    client_of(cast.ana).post(f"/threads/{thread.pk}/delete/", {"message": 2**60})
    assert unread_count(cast.ana, f"inbox-{cast.front_desk.pk}") is None
    assert unread_count(cast.ben, f"inbox-{cast.front_desk.pk}") == 1


def test_the_count_looks_at_the_newest_threads_and_shows_no_more_than_99(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    for index in range(101):
        cast.thread(sender=f"+1202555{1000 + index}")
    key = f"inbox-{cast.front_desk.pk}"
    assert get_row(cast.ana, key).words.endswith("99+ unread")
    monkeypatch.setattr(unread, "NEWEST_COUNTED", 7)
    assert unread_count(cast.ana, key) == 7


def test_all_inboxes_are_counted_in_one_query(cast: Cast) -> None:
    cast.thread()
    cast.thread(to=DISPATCH)
    with CaptureQueriesContext(connection) as queries:
        counts = count_unread_threads(
            [cast.ana.pk, cast.cho.pk, cast.dov.pk],
            [cast.front_desk, cast.dispatch, cast.anas_line],
        )
    assert len(queries) == 1
    assert counts == {
        (cast.ana.pk, cast.front_desk.pk): 1,
        (cast.ana.pk, cast.dispatch.pk): 1,
        (cast.cho.pk, cast.front_desk.pk): 1,
    }


def test_messages_from_before_my_membership_are_not_unread(cast: Cast) -> None:
    old = cast.thread()
    add_member(inbox=cast.front_desk, agent=cast.dov, changed_by=None)
    assert unread_count(cast.dov, old) is None
    assert unread_count(cast.dov, f"inbox-{cast.front_desk.pk}") is None
    cast.text_in("After dov came")
    new = cast.thread(sender="+12025550190")
    assert unread_count(cast.dov, old) == 0  # a dot: the messages since then are not counted
    assert unread_count(cast.dov, new) == 1
    assert unread_count(cast.dov, f"inbox-{cast.front_desk.pk}") == 2
    page = open_thread(cast.dov, old)
    assert page.index("Is anybody there?") < page.index('class="new"')
    assert page.index('class="new"') < page.rindex("After dov came")


def test_mark_unread_lasts_until_i_open_it_again(cast: Cast) -> None:
    thread = cast.thread()
    open_thread(cast.ana, thread)
    client = client_of(cast.ana)
    answer = client.post(f"/threads/{thread.pk}/unread/")
    assert (answer.status_code, answer["Location"]) == (302, f"/inboxes/{cast.front_desk.pk}/")
    assert client.post(f"/threads/{thread.pk}/unread/", headers=HTMX).status_code == 204
    assert client.get(f"/threads/{thread.pk}/unread/").status_code == 302
    assert unread_count(cast.ana, thread) == 0
    assert unread_count(cast.ana, f"inbox-{cast.front_desk.pk}") == 1
    # The open page reports again the message that it had shown before.
    client.post(f"/threads/{thread.pk}/read/", {"message": Message.objects.latest("pk").pk})
    assert unread_count(cast.ana, thread) == 0
    assert 'class="new"' not in open_thread(cast.ana, thread)
    assert unread_count(cast.ana, thread) is None
    assert unread_count(cast.ana, f"inbox-{cast.front_desk.pk}") is None


def test_a_thread_with_my_own_message_last_can_be_marked_unread(cast: Cast) -> None:
    thread = cast.thread()
    cast.answer(thread, "I will look into it")
    client_of(cast.ana).post(f"/threads/{thread.pk}/unread/")
    assert unread_count(cast.ana, thread) == 0
    cast.answer(thread, "Done")
    assert unread_count(cast.ana, thread) is None


def test_the_line_new_comes_before_the_first_unread_message(cast: Cast) -> None:
    thread = cast.thread()
    open_thread(cast.ana, thread)
    first = cast.text_in("Not read yet")
    cast.text_in("Nor this")
    page = open_thread(cast.ana, thread)
    assert re.findall(r'data-new="(\d+)"', page) == [str(first.pk)]
    assert page.index('data-new="') < page.index(f'id="message-{first.pk}"')
    assert 'data-new="' not in open_thread(cast.ana, thread)  # at the next opening it is gone
    assert 'data-new="' in open_thread(cast.ben, thread)


def test_what_i_wrote_is_not_new_to_me(cast: Cast) -> None:
    thread = cast.thread()
    cast.answer(thread, "Mine")
    assert 'data-new="' not in open_thread(cast.ana, thread)


def test_the_line_new_is_on_the_older_page_if_more_than_a_page_is_unread(cast: Cast) -> None:
    thread = cast.thread()
    open_thread(cast.ana, thread)
    first = cast.text_in("The first of many")
    for index in range(PAGE_SIZE):
        cast.text_in(f"Text {index}")
    page = open_thread(cast.ana, thread)
    assert 'data-new="' not in page
    older = re.search(r'href="([^"]+before=[^"]+)"', page)
    assert older is not None
    url = older[1].replace("&amp;", "&")
    earlier = read_page(client_of(cast.ana).get(url, headers=HTMX))
    assert re.findall(r'data-new="(\d+)"', earlier) == [str(first.pk)]


def test_needs_reply_is_untouched_by_reading_and_internal_messages(cast: Cast) -> None:
    thread = cast.thread()
    path = f"/inboxes/{cast.front_desk.pk}/?only=reply"

    def needs_reply() -> bool:
        page = read_page(client_of(cast.ben).get(path))
        return f"thread-{thread.pk}" in [element.id for element in parse_elements(page)]

    open_thread(cast.ben, thread)
    cast.note(thread, "Who takes this one?", author=cast.ana)
    assert needs_reply()
    cast.answer(thread, "I do", author=cast.ben)
    assert not needs_reply()
    cast.text_in("Thanks, and one more thing")
    assert needs_reply()


def test_a_personal_thread_is_counted_too(cast: Cast) -> None:
    thread = cast.thread(to=ANAS_LINE)
    cast.text_in("Hello?", to=ANAS_LINE)
    assert unread_count(cast.ana, thread) == 2
    open_thread(cast.ana, thread)
    assert unread_count(cast.ana, thread) is None


@pytest.mark.django_db(transaction=True)
async def test_counts_change_live_on_all_my_pages(cast: Cast) -> None:
    thread = await in_database(cast.thread)()
    inbox, key = f"/inboxes/{cast.front_desk.pk}/", f"inbox-{cast.front_desk.pk}"
    top, inside, cho = [await in_database(new_tab)(a) for a in (cast.ana, cast.ana, cast.cho)]
    await top.open("/")
    await inside.open(inbox)
    await cho.open("/")
    await in_database(cast.text_in)("Two")
    await in_database(cast.text_in)("Another", sender="+12025550190")
    for page in (top, inside, cho):
        await page.receive_until_idle()
    assert inside.placed[f"thread-{thread.pk}"].words.endswith("2 unread")
    assert top.placed[key].words.endswith("2 unread")
    await in_database(open_thread)(cast.ana, thread)
    for page in (top, inside, cho):
        await page.receive_until_idle()
    assert "unread" not in inside.placed[f"thread-{thread.pk}"].marks
    assert top.placed[key].words.endswith("1 unread")
    assert cho.placed[key].words.endswith("2 unread")
    await in_database(top.client.post)(f"/threads/{thread.pk}/unread/")
    for page in (top, inside):
        await page.receive_until_idle()
    assert inside.placed[f"thread-{thread.pk}"].words.endswith("Unread")
    assert top.placed[key].words.endswith("2 unread")
    for page in (top, inside, cho):
        await page.disconnect()


@pytest.mark.django_db(transaction=True)
async def test_a_new_membership_begins_with_nothing_unread_on_an_open_page(cast: Cast) -> None:
    """It ends and begins again between two readings; the inbox's row has to show the new one."""
    await in_database(cast.thread)()
    page = await in_database(new_tab)(cast.cho)
    await in_database(page.load)("/")
    key = f"inbox-{cast.front_desk.pk}"
    assert page.placed[key].words.endswith("1 unread")
    await in_database(remove_member)(inbox=cast.front_desk, agent=cast.cho, changed_by=None)
    await in_database(add_member)(inbox=cast.front_desk, agent=cast.cho, changed_by=None)
    await page.open()
    await page.receive_until_idle()
    assert "unread" not in page.placed[key].marks
    await page.disconnect()


def test_with_an_old_membership_all_messages_count(cast: Cast) -> None:
    long_ago = timezone.now() - timedelta(days=900)
    Membership.objects.filter(agent=cast.ben).update(created_at=long_ago)
    thread = cast.thread()
    assert unread_count(cast.ben, thread) == 1
