"""Deleting hides a thread from one agent, until the next text, a mention of them, or Undo."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from channels.db import database_sync_to_async as in_database
from django.db import connection, transaction
from django.utils import timezone

from inboxes.models import Agent
from messaging.models import Message, Notification
from messaging.stream.hiding import delete_thread
from messaging.stream.notifying import mark_notifications_read
from tests.cast import ANAS_LINE, CUSTOMER, Cast, client_of
from tests.databases import sessions_waiting_for_locks
from tests.messaging.live.live_pages import PATIENCE, new_tab, parse_elements
from threads.lists import PAGE_SIZE
from threads.models import Thread, ThreadState

OTHER_CUSTOMER = "+12025550188"
HTMX = {"HX-Request": "true"}


def post_delete(
    agent: Agent, thread: Thread, upto: int | None = None, *, htmx: bool = False
) -> Any:
    newest = Message.objects.filter(thread=thread).latest("pk").pk if upto is None else upto
    path = f"/threads/{thread.pk}/delete/"
    return client_of(agent).post(path, {"message": newest}, headers=HTMX if htmx else {})


def is_listed_for(agent: Agent, thread: Thread) -> bool:
    path = "/" if thread.is_personal else f"/inboxes/{thread.inbox_id}/"
    page = client_of(agent).get(path).content.decode()
    return f"thread-{thread.pk}" in [element.id for element in parse_elements(page)]


def test_a_deleted_thread_is_hidden_for_me_and_the_others_keep_it(cast: Cast) -> None:
    thread = cast.thread()
    answer = post_delete(cast.ana, thread)
    assert (answer.status_code, answer["Location"]) == (302, f"/inboxes/{cast.front_desk.pk}/")
    assert not is_listed_for(cast.ana, thread)
    assert is_listed_for(cast.ben, thread)
    assert is_listed_for(cast.cho, thread)


def test_every_member_can_delete_it(cast: Cast) -> None:
    thread = cast.thread()
    for agent in (cast.ana, cast.ben, cast.cho):
        post_delete(agent, thread)
        assert not is_listed_for(agent, thread)
    assert Thread.objects.filter(pk=thread.pk).exists()


@pytest.mark.parametrize("way", ["in", "out"])
def test_the_next_text_brings_it_back_with_the_whole_history(cast: Cast, way: str) -> None:
    thread = cast.thread()
    post_delete(cast.ana, thread)
    if way == "in":
        cast.text_in("One more thing")
    else:
        cast.answer(thread, "One more thing", author=cast.ben)
    assert is_listed_for(cast.ana, thread)
    page = client_of(cast.ana).get(f"/threads/{thread.pk}/").content.decode()
    assert page.index("Is anybody there?") < page.rindex("One more thing")


def test_an_internal_message_brings_it_back_only_for_those_it_mentions(cast: Cast) -> None:
    thread = cast.thread()
    post_delete(cast.ana, thread)
    post_delete(cast.cho, thread)
    cast.note(thread, "I called them back.", author=cast.ben)
    assert not is_listed_for(cast.ana, thread)
    cast.note(thread, "@ana can you look?", author=cast.ben)
    assert is_listed_for(cast.ana, thread)
    assert not is_listed_for(cast.cho, thread)


def test_my_own_internal_message_in_a_hidden_thread_leaves_it_hidden(cast: Cast) -> None:
    thread = cast.thread()
    post_delete(cast.ana, thread)
    cast.note(thread, "For the record", author=cast.ana)
    assert not is_listed_for(cast.ana, thread)


def test_an_unseen_text_prevents_the_deletion(cast: Cast) -> None:
    thread = cast.thread()
    shown = Message.objects.latest("pk").pk
    cast.text_in("Wait!")
    answer = post_delete(cast.ana, thread, shown, htmx=True)
    assert answer.status_code == 422
    assert "stays in your list" in answer.content.decode()
    assert is_listed_for(cast.ana, thread)


def test_an_unseen_mention_prevents_the_deletion_and_another_message_does_not(cast: Cast) -> None:
    thread = cast.thread()
    shown = Message.objects.latest("pk").pk
    cast.note(thread, "@ana please", author=cast.ben)
    assert post_delete(cast.cho, thread, shown, htmx=True).status_code == 200
    assert post_delete(cast.ana, thread, shown, htmx=True).status_code == 422
    assert is_listed_for(cast.ana, thread)
    assert not is_listed_for(cast.cho, thread)


def test_a_page_cannot_name_what_it_never_showed(cast: Cast) -> None:
    """Refuse a key from the future, which would hide the thread from texts yet to come."""
    thread = cast.thread()
    post_delete(cast.ana, thread, 2**62)
    assert not is_listed_for(cast.ana, thread)
    cast.text_in("I am back")
    assert is_listed_for(cast.ana, thread)


def test_a_message_of_another_thread_hides_nothing_of_this_one(cast: Cast) -> None:
    thread = cast.thread(sender="+12025550190")
    later = cast.thread()
    assert not delete_thread(thread=later, agent=cast.ana, message_id=thread.last_message_id or 1)
    assert is_listed_for(cast.ana, later)


def test_undo_puts_it_back_at_the_same_position(cast: Cast) -> None:
    older, thread = cast.thread(sender="+12025550190"), cast.thread()
    cast.thread(sender="+12025550191")
    answer = post_delete(cast.ana, thread, htmx=True).content.decode()
    assert f"/threads/{thread.pk}/restore/" in answer
    assert ">Undo</button>" in answer
    client = client_of(cast.ana)
    path = f"/threads/{thread.pk}/restore/"
    assert client.post(path, headers=HTMX).status_code == 204
    page = client.get(f"/inboxes/{cast.front_desk.pk}/").content.decode()
    assert [e.id for e in parse_elements(page)][1:] == [
        f"thread-{thread.pk}",
        f"thread-{older.pk}",
    ]
    assert client.get(path).status_code == 302


def test_undo_is_offered_without_scripts(cast: Cast) -> None:
    thread = cast.thread()
    client = client_of(cast.ana)
    form = {"message": str(Message.objects.latest("pk").pk)}
    page = client.post(f"/threads/{thread.pk}/delete/", form, follow=True).content.decode()
    notice = page[page.index('<div id="notice" role="status"') :]
    assert f'formaction="/threads/{thread.pk}/restore/"' in notice
    assert ">Undo</button>" in notice
    client.post(f"/threads/{thread.pk}/restore/")
    assert is_listed_for(cast.ana, thread)


def test_the_inboxs_preview_still_shows_it(cast: Cast) -> None:
    thread = cast.thread()
    post_delete(cast.ana, thread)
    cast.note(thread, "Still going on", author=cast.ben)
    page = client_of(cast.ana).get("/").content.decode()
    (row,) = [e for e in parse_elements(page) if e.id == f"inbox-{cast.front_desk.pk}"]
    assert "Still going on" in row.words


def test_its_address_still_opens_it(cast: Cast) -> None:
    thread = cast.thread()
    post_delete(cast.ana, thread)
    page = client_of(cast.ana).get(f"/threads/{thread.pk}/")
    assert page.status_code == 200
    assert "Is anybody there?" in page.content.decode()
    assert not is_listed_for(cast.ana, thread)


def test_it_works_on_a_personal_line(cast: Cast) -> None:
    thread = cast.thread(to=ANAS_LINE)
    assert post_delete(cast.ana, thread)["Location"] == "/"
    assert not is_listed_for(cast.ana, thread)
    cast.text_in("Hello again", to=ANAS_LINE)
    assert is_listed_for(cast.ana, thread)


def test_hidden_threads_do_not_count_towards_a_page(cast: Cast) -> None:
    threads = [cast.thread(sender=f"+1202555{1000 + index}") for index in range(PAGE_SIZE + 5)]
    for thread in threads[-5:]:
        post_delete(cast.ana, thread)
    page = client_of(cast.ana).get(f"/inboxes/{cast.front_desk.pk}/").content.decode()
    shown = [f"thread-{thread.pk}" for thread in reversed(threads[:-5])]
    assert [element.id for element in parse_elements(page)] == shown
    assert 'class="more"' not in page


@pytest.mark.parametrize("form", [{}, {"message": "0"}, {"message": "x"}, {"message": "9" * 40}])
def test_deleting_without_a_message_is_a_404(cast: Cast, form: dict[str, str]) -> None:
    thread = cast.thread()
    path = f"/threads/{thread.pk}/delete/"
    assert client_of(cast.ana).post(path, form).status_code == 404
    assert client_of(cast.ana).get(path).status_code == 302
    assert not ThreadState.objects.exists()


@pytest.mark.django_db(transaction=True)
async def test_the_row_leaves_all_my_pages_and_nobody_elses_and_comes_back_in_order(
    cast: Cast,
) -> None:
    older = await in_database(cast.thread)(sender="+12025550190")
    thread = await in_database(cast.thread)()
    await in_database(cast.thread)(sender="+12025550191")
    inbox, row = f"/inboxes/{cast.front_desk.pk}/", f"thread-{thread.pk}"
    mine, beside, bens = [await in_database(new_tab)(a) for a in (cast.ana, cast.ana, cast.ben)]
    await mine.open(inbox)
    await beside.open(f"/threads/{older.pk}/")
    await bens.open(inbox)
    pages = (mine, beside, bens)
    await in_database(post_delete)(cast.ana, thread)
    for page in pages:
        await page.receive_until_idle()
    assert [row in page.placed for page in pages] == [False, False, True]
    assert mine.ids_in_order(f"list-{cast.front_desk.pk}")[-1] == f"thread-{older.pk}"
    await in_database(cast.note)(thread, "Among us", author=cast.ben)
    for page in pages:
        await page.receive_until_idle()
    assert [row in page.placed for page in pages] == [False, False, True]
    await in_database(mine.client.post)(f"/threads/{thread.pk}/restore/")
    for page in pages:
        await page.receive_until_idle()
    assert all(row in page.placed for page in pages)
    await in_database(post_delete)(cast.ana, thread)
    await in_database(cast.text_in)("And one more", sender=CUSTOMER)
    for page in pages:
        await page.receive_until_idle()
    order = f"list-{cast.front_desk.pk}"
    assert [page.ids_in_order(order)[0] for page in pages] == [row] * 3
    for page in pages:
        await page.disconnect()


@pytest.mark.django_db(transaction=True)
async def test_a_mention_brings_the_row_back_live(cast: Cast) -> None:
    thread = await in_database(cast.thread)()
    page = await in_database(new_tab)(cast.cho)
    await page.open(f"/inboxes/{cast.front_desk.pk}/")
    await in_database(post_delete)(cast.cho, thread)
    await page.receive_until_idle()
    assert page.placed == {}
    await in_database(cast.note)(thread, "@cho have a look", author=cast.ben)
    await page.wait_for(f"thread-{thread.pk}", "Ben: @cho have a look")
    await page.disconnect()


@pytest.mark.django_db(transaction=True)
async def test_a_page_that_was_away_learns_that_its_thread_was_deleted(cast: Cast) -> None:
    thread = await in_database(cast.thread)()
    page = await in_database(new_tab)(cast.ana)
    await in_database(page.load)(f"/threads/{thread.pk}/")
    await in_database(post_delete)(cast.ana, thread)
    await page.open()
    await page.receive_until_idle()
    hidden = [frame["hidden"] for frame in page.frames if "hidden" in frame]
    assert hidden[-1] == {str(thread.pk): thread.last_message_id}
    assert f"thread-{thread.pk}" not in page.placed
    await page.disconnect()


def unread_texts(agent: Agent) -> int:
    return Notification.objects.filter(agent=agent).unread().count()


def test_the_bell_falls_with_an_unread_thread_and_undo_raises_it_again(cast: Cast) -> None:
    cast.text_in("Elsewhere", sender=OTHER_CUSTOMER)
    thread = cast.thread()
    Notification.objects.filter(agent=cast.ana, message__body="Elsewhere").update(
        read_at=timezone.now()
    )
    cast.text_in("Hello?")
    assert unread_texts(cast.ana) == 2
    post_delete(cast.ana, thread)
    assert (unread_texts(cast.ana), unread_texts(cast.ben)) == (0, 3)
    client_of(cast.ana).post(f"/threads/{thread.pk}/restore/")
    assert unread_texts(cast.ana) == 2


def test_deleting_a_thread_and_reading_all_notifications_at_once_do_not_deadlock(
    transactional_db: None, cast: Cast
) -> None:
    """Both lock the agent and the notifications, in the same order."""
    thread = cast.thread()
    newest = Message.objects.filter(thread=thread).latest("pk").pk
    has_locked, may_go_on = threading.Event(), threading.Event()

    def delete() -> None:
        with transaction.atomic():
            Agent.objects.select_for_update(no_key=True).get(pk=cast.ana.pk)
            has_locked.set()
            assert may_go_on.wait(10)
            delete_thread(thread=thread, agent=cast.ana, message_id=newest)
        connection.close()

    def read_all() -> None:
        mark_notifications_read(agent=cast.ana)
        connection.close()

    with ThreadPoolExecutor(2) as pool:
        deleting = pool.submit(delete)
        assert has_locked.wait(10)
        reading = pool.submit(read_all)
        while not reading.done() and not sessions_waiting_for_locks():
            time.sleep(0.01)
        may_go_on.set()
        deleting.result(10)
        reading.result(10)
    assert unread_texts(cast.ana) == 0


def test_a_text_that_keeps_the_thread_in_the_list_stays_on_the_bell(cast: Cast) -> None:
    thread = cast.thread()
    shown = Message.objects.latest("pk").pk
    cast.text_in("Hello?")
    post_delete(cast.ana, thread, shown)
    assert unread_texts(cast.ana) == 2


@pytest.mark.django_db(transaction=True)
async def test_the_bell_of_an_open_page_falls_with_the_thread(cast: Cast) -> None:
    thread = await in_database(cast.thread)()
    page = await (await in_database(new_tab)(cast.ana)).open("/")
    await in_database(post_delete)(cast.ana, thread)
    counts = []
    while 0 not in counts:
        frame = json.loads(await page.socket.receive_from(PATIENCE))
        counts.append(frame.get("notices", {}).get("unread"))
    await page.disconnect()
