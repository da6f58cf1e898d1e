"""A thread opens at one of its messages."""

from __future__ import annotations

import re

import pytest

from messaging.notifications.lists import unread_counts
from tests.cast import ANAS_LINE, Cast, client_of


def test_a_thread_opens_at_an_older_message(cast: Cast) -> None:
    thread = cast.thread()
    ids = [cast.text_in(f"Text {n}").pk for n in range(65)]
    html = client_of(cast.ana).get(f"/threads/{thread.pk}/?at={ids[20]}").content.decode()
    shown = [int(pk) for pk in re.findall(r'<article id="message-(\d+)"', html)]
    assert shown == ids[10:]
    assert f'data-arrive="{ids[20]}"' in html
    assert f"?before={ids[10]}" in html


def test_a_page_far_back_is_separate_and_links_to_the_newest(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.conversations.opening.MAX_MESSAGES", 45)
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
def test_at_accepts_only_the_key_of_a_message(cast: Cast, at: str) -> None:
    assert client_of(cast.ana).get(f"/threads/{cast.thread().pk}/?at={at}").status_code == 404


def test_a_message_of_another_thread_opens_the_newest_page(cast: Cast) -> None:
    mine, other = cast.text_in("Mine"), cast.text_in("Foreign", to=ANAS_LINE)
    html = client_of(cast.ben).get(f"/threads/{mine.thread_id}/?at={other.pk}").content.decode()
    assert f'id="message-{mine.pk}"' in html
    assert f'id="message-{other.pk}"' not in html
