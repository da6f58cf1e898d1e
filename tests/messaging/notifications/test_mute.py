"""A mute is one agent's own, set in Thread options, and shown on all of their pages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from messaging.live import reading
from messaging.live.pages import Page, PageView, Target
from messaging.live.readers import ListVariant, draw_changes, draw_personal
from tests.cast import Cast, client_of
from threads.actions import set_mute
from threads.models import ThreadState

HTMX = {"HX-Request": "true"}


async def _nothing(_: Any) -> None: ...


def test_the_menu_offers_mute_or_unmute(cast: Cast) -> None:
    thread = cast.thread()
    client, path = client_of(cast.ana), f"/threads/{thread.pk}/mute/"
    answer = client.post(path, {"muted": "1"}, headers=HTMX).content.decode()
    assert "Unmute" in answer
    assert 'value="0"' in answer
    assert ThreadState.objects.get(agent=cast.ana, thread=thread).is_muted
    assert ">Unmute</span>" in client.get(f"/threads/{thread.pk}/").content.decode()
    assert "muted-mark" in client.get(f"/inboxes/{cast.front_desk.pk}/").content.decode()
    answer = client.post(path, {"muted": "0"}, headers=HTMX).content.decode()
    assert ">Mute</span>" in answer
    assert not ThreadState.objects.get(agent=cast.ana, thread=thread).is_muted
    assert "muted-mark" not in client.get(f"/inboxes/{cast.front_desk.pk}/").content.decode()


def test_without_scripts_the_thread_is_shown_again(cast: Cast) -> None:
    thread = cast.thread()
    answer = client_of(cast.ana).post(f"/threads/{thread.pk}/mute/", {"muted": "1"})
    assert (answer.status_code, answer["Location"]) == (302, f"/threads/{thread.pk}/")


@pytest.mark.parametrize("muted", ["", "2", "on"])
def test_other_values_than_muted_or_not_are_a_404(cast: Cast, muted: str) -> None:
    thread = cast.thread()
    path = f"/threads/{thread.pk}/mute/"
    assert client_of(cast.ana).post(path, {"muted": muted}).status_code == 404
    assert not ThreadState.objects.filter(is_muted=True).exists()


def test_only_members_mute_and_only_by_post(cast: Cast) -> None:
    thread = cast.thread()
    path = f"/threads/{thread.pk}/mute/"
    assert client_of(cast.dov).post(path, {"muted": "1"}).status_code == 404
    answer = client_of(cast.ana).get(path)
    assert (answer.status_code, answer["Location"]) == (302, f"/threads/{thread.pk}/")
    assert not ThreadState.objects.filter(is_muted=True).exists()
    assert client_of(cast.ana).post("/threads/999999/mute/", {"muted": "1"}).status_code == 404


def test_muted_is_shown_in_nobody_elses_list(cast: Cast) -> None:
    thread = cast.thread()
    set_mute(thread=thread, agent=cast.ana, is_muted=True)
    path = f"/inboxes/{cast.front_desk.pk}/"
    assert ">Muted</span>" in client_of(cast.ana).get(path).content.decode()
    assert ">Muted</span>" not in client_of(cast.ben).get(path).content.decode()


def test_a_live_row_shows_muted_only_to_its_agent(cast: Cast) -> None:
    set_mute(thread=cast.thread(), agent=cast.ana, is_muted=True)
    message = cast.text_in("It moves all the same")
    pages = [
        Page(
            agent_id=a.pk,
            session_key="",
            session_hash="",
            send_frame=_nothing,
            close_socket=_nothing,
            view=PageView(list=cast.front_desk.pk),
        )
        for a in (cast.ben, cast.ana, cast.cho)
    ]  # fmt: skip
    targets = [Target.from_page(page, cast.front_desk.pk, with_seqs=True) for page in pages]
    _, _, drawn = draw_changes(cast.front_desk.pk, message.seq - 1, targets)
    frames = [json.loads(frame) for (frame,) in drawn]
    rows = [frame["rows"] for frame in frames]
    assert ["It moves all the same" in row for row in rows] == [True] * 3
    assert [">Muted</span>" in row for row in rows] == [False, True, False]
    assert ["notices" in frame for frame in frames] == [True, False, True]


def test_all_tabs_of_the_agent_follow(cast: Cast) -> None:
    thread = cast.thread()
    set_mute(thread=thread, agent=cast.ana, is_muted=True)
    standing = reading.read_agent_inboxes(cast.ana.pk)
    assert standing is not None
    shown = cast.front_desk.pk
    views: set[ListVariant] = {(shown, "", None, True), (None, "", None, True)}
    _, frames = draw_personal(standing, standing.agent.seq - 1, views)
    assert ">Muted</span>" in json.loads(frames[shown, "", None, True][0])["rows"]
    assert json.loads(frames[None, "", None, True][0])["muted"] == {str(thread.pk): True}
