"""The priority of a thread: set in Thread options, shown to all members, live."""

from __future__ import annotations

import re

import pytest
from channels.db import database_sync_to_async as in_database

from tests.cast import ANAS_LINE, Cast, client_of
from tests.markup import read_page
from tests.messaging.live.live_pages import new_tab, parse_elements
from threads.lists import PAGE_SIZE
from threads.models import Thread

HTMX = {"HX-Request": "true"}


def listed_ids(cast: Cast, query: str = "") -> list[str]:
    page = read_page(client_of(cast.cho).get(f"/inboxes/{cast.front_desk.pk}/{query}"))
    return [element.id for element in parse_elements(page)]


def test_a_new_thread_has_no_priority(cast: Cast) -> None:
    thread = cast.thread()
    page = read_page(client_of(cast.ana).get(f"/threads/{thread.pk}/"))
    assert 'class="priority ' not in page
    checked = re.findall(r'aria-checked="true"[^>]* name="priority" value="(\w+)"', page)
    assert checked == ["none"]


@pytest.mark.parametrize(
    ("value", "word"),
    [("urgent", "Urgent"), ("high", "High"), ("medium", "Medium"), ("low", "Low")],
)
def test_a_priority_comes_before_the_number_for_every_member(
    cast: Cast, value: str, word: str
) -> None:
    thread = cast.thread()
    path = f"/threads/{thread.pk}/"
    answer = client_of(cast.ana).post(f"{path}priority/", {"priority": value})
    assert (answer.status_code, answer["Location"]) == (302, path)
    for agent in (cast.ana, cast.ben, cast.cho):
        page = read_page(client_of(agent).get(path))
        heading = re.search(r"<h1[^>]*>(.*?)</h1>", page.split('id="head-')[1], re.DOTALL)
        assert heading is not None
        words = re.sub(r"<[^>]+>", "", heading[1]).split()
        assert " ".join(words) == f"{word} (202) 555-0177"
        row = next(e for e in parse_elements(page) if e.id == f"thread-{thread.pk}")
        assert row.words.startswith(f"{word} (202) 555-0177")
        checked = re.findall(r'aria-checked="true"[^>]* name="priority" value="(\w+)"', page)
        assert checked == [value]


def test_a_priority_can_be_removed_again(cast: Cast) -> None:
    thread = cast.thread()
    client, path = client_of(cast.ana), f"/threads/{thread.pk}/priority/"
    client.post(path, {"priority": "high"})
    answer = read_page(client.post(path, {"priority": "none"}, headers=HTMX))
    assert f'id="title-{thread.pk}"' in answer
    assert 'data-priority="none"' in answer
    assert Thread.objects.get().priority == ""


@pytest.mark.parametrize("form", [{}, {"priority": ""}, {"priority": "Urgent"}, {"priority": "5"}])
def test_unknown_priorities_are_a_404(cast: Cast, form: dict[str, str]) -> None:
    thread = cast.thread()
    client, path = client_of(cast.ana), f"/threads/{thread.pk}/priority/"
    assert client.post(path, form).status_code == 404
    assert client.get(path).status_code == 302
    assert Thread.objects.get().priority == ""


def test_the_same_priority_again_changes_nothing(cast: Cast) -> None:
    thread = cast.thread()
    client = client_of(cast.ana)
    client.post(f"/threads/{thread.pk}/priority/", {"priority": "low"})
    seq = Thread.objects.get().seq
    client.post(f"/threads/{thread.pk}/priority/", {"priority": "low"})
    assert Thread.objects.get().seq == seq


def test_it_works_on_a_personal_line(cast: Cast) -> None:
    thread = cast.thread(to=ANAS_LINE)
    client_of(cast.ana).post(f"/threads/{thread.pk}/priority/", {"priority": "medium"})
    (row, *_) = parse_elements(read_page(client_of(cast.ana).get("/")))
    assert row.words.startswith("Medium (202) 555-0177")


def test_the_list_shows_only_what_was_chosen(cast: Cast) -> None:
    calm, urgent = cast.thread(), cast.thread(sender="+12025550178")
    Thread.objects.filter(pk=urgent.pk).update(priority="urgent")
    cast.answer(urgent, "We are on our way")
    assert listed_ids(cast) == [f"thread-{urgent.pk}", f"thread-{calm.pk}"]
    assert listed_ids(cast, "?only=urgent") == [f"thread-{urgent.pk}"]
    assert listed_ids(cast, "?only=high") == []
    assert listed_ids(cast, "?only=reply") == [f"thread-{calm.pk}"]
    empty = read_page(client_of(cast.cho).get(f"/inboxes/{cast.front_desk.pk}/?only=high"))
    assert "No high-priority threads" in empty
    assert "Show all threads" in empty


def test_an_unknown_choice_is_a_404(cast: Cast) -> None:
    thread = cast.thread()
    for path in (f"/inboxes/{cast.front_desk.pk}/", f"/threads/{thread.pk}/", "/"):
        assert client_of(cast.ana).get(f"{path}?only=x").status_code == 404


def test_the_choice_is_kept_on_further_pages_and_beside_a_conversation(cast: Cast) -> None:
    threads = [cast.thread(sender=f"+1202555{1000 + index}") for index in range(PAGE_SIZE + 4)]
    Thread.objects.exclude(pk=threads[5].pk).update(priority="low")
    client, inbox = client_of(cast.ana), f"/inboxes/{cast.front_desk.pk}/"
    page = read_page(client.get(f"{inbox}?only=low", headers=HTMX))
    more = re.search(r'<li class="more"[^>]*>\s*<a href="([^"]+)"', page)
    assert more is not None
    rest = read_page(client.get(more[1].replace("&amp;", "&"), headers=HTMX))
    found = [element.id for element in [*parse_elements(page), *parse_elements(rest)]]
    expected = [t for t in reversed(threads) if t != threads[5]]
    assert found == [f"thread-{thread.pk}" for thread in expected]
    row = f"/threads/{threads[-1].pk}/?only=low"
    assert f'href="{row}"' in page
    beside = read_page(client.get(row))
    assert [element.id for element in parse_elements(beside)][:PAGE_SIZE] == found[:PAGE_SIZE]
    assert f'href="{inbox}?only=low" aria-label="Back to Front Desk"' in beside


@pytest.mark.django_db(transaction=True)
async def test_priority_is_live_in_list_and_title(cast: Cast) -> None:
    thread = await in_database(cast.thread)()
    inbox, path = f"/inboxes/{cast.front_desk.pk}/", f"/threads/{thread.pk}/"
    ana, ben, cho = [await in_database(new_tab)(agent) for agent in (cast.ana, cast.ben, cast.cho)]
    for page, where in ((ana, path), (ben, path), (cho, inbox)):
        await page.open(where)
    await in_database(ana.client.post)(f"{path}priority/", {"priority": "urgent"})
    for page in (ana, ben, cho):
        await page.wait_for(f"thread-{thread.pk}", "Urgent (202) 555-0177")
    for page in (ana, ben):
        await page.receive_until_idle()
        rows = "".join(frame.get("rows", "") for frame in page.frames)
        assert f'id="title-{thread.pk}"' in rows
        assert 'data-priority="urgent"' in rows
    assert "title-" not in "".join(frame.get("rows", "") for frame in cho.frames)
    for page in (ana, ben, cho):
        await page.disconnect()


@pytest.mark.django_db(transaction=True)
async def test_a_catch_up_brings_the_title(cast: Cast) -> None:
    thread = await in_database(cast.thread)()
    ben = await in_database(new_tab)(cast.ben)
    await in_database(ben.load)(f"/threads/{thread.pk}/")
    client = await in_database(client_of)(cast.ana)
    await in_database(client.post)(f"/threads/{thread.pk}/priority/", {"priority": "high"})
    await ben.open()
    await ben.receive_until_idle()
    assert 'data-priority="high"' in "".join(frame.get("rows", "") for frame in ben.frames)
    await ben.disconnect()


@pytest.mark.django_db(transaction=True)
async def test_live_rows_enter_and_leave_a_narrowed_list(cast: Cast) -> None:
    first = await in_database(cast.thread)()
    second = await in_database(cast.thread)(sender="+12025550178")
    inbox = f"/inboxes/{cast.front_desk.pk}/"
    urgent, reply = await in_database(new_tab)(cast.cho), await in_database(new_tab)(cast.cho)
    await urgent.open(f"{inbox}?only=urgent")
    await reply.open(f"{inbox}?only=reply")
    client = await in_database(client_of)(cast.ana)
    order = f"list-{cast.front_desk.pk}"

    async def set_priority(thread: Thread, priority: str) -> None:
        path = f"/threads/{thread.pk}/priority/"
        await in_database(client.post)(path, {"priority": priority})
        await urgent.receive_until_idle()

    await set_priority(first, "urgent")
    await set_priority(second, "urgent")
    assert urgent.ids_in_order(f"{order}-urgent") == [f"thread-{second.pk}", f"thread-{first.pk}"]
    await set_priority(second, "low")
    assert urgent.ids_in_order(f"{order}-urgent") == [f"thread-{first.pk}"]
    await in_database(cast.answer)(first, "Yes, until six.")
    await reply.receive_until_idle()
    assert reply.ids_in_order(f"{order}-reply") == [f"thread-{second.pk}"]
    await in_database(cast.text_in)("Thank you")
    await reply.receive_until_idle()
    assert reply.ids_in_order(f"{order}-reply") == [f"thread-{first.pk}", f"thread-{second.pk}"]
    for page in (urgent, reply):
        await page.disconnect()
