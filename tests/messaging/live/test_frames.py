"""Frames have a bounded size, and keep their content whole and in order."""

from __future__ import annotations

import json
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.conversations.entries import FOLDED_ABOVE, FOLDED_TO
from messaging.live import frames
from messaging.live.frames import Fragment, pack_frames, split_into_parts
from messaging.live.pages import BROKEN, Page
from tests.cast import Cast, client_of

BOUNDED = settings(max_examples=60, deadline=None, derandomize=True, database=None)
LIMIT = 400  # Bytes, so that a few short rows fill several frames


@BOUNDED
@given(st.lists(st.text(max_size=150)), st.lists(st.text(max_size=150)))
def test_packed_frames_hold_everything_in_order(rows: list[str], drafts: list[str]) -> None:
    with patch.object(frames, "FRAME_LIMIT", LIMIT):
        packed = pack_frames(
            parts=[("muted", {}), *split_into_parts("drafts", drafts)],
            rows=[Fragment.from_markup(row) for row in rows],
            gone=["inbox-1"],
            seqs={"l1": 7},
        )
    told = [json.loads(frame) for frame in packed]
    assert "".join(frame.get("rows", "") for frame in told) == "".join(rows)
    assert [one for frame in told for one in frame.get("drafts", [])] == drafts
    assert [frame["gone"] for frame in told if "gone" in frame] == [["inbox-1"]]
    assert ["seqs" in frame for frame in told] == [False] * (len(told) - 1) + [True]
    longest = max([0, *(len(json.dumps(one)) for one in [*rows, *drafts])])
    assert max(len(frame.encode()) for frame in packed) <= max(LIMIT, longest) + 30


def test_nothing_to_send_makes_no_frame() -> None:
    assert pack_frames() == []


def test_an_emoji_takes_four_bytes() -> None:
    (frame,) = pack_frames(rows=[Fragment.from_markup("😀" * 1_000)])
    assert len(frame.encode()) < 4_100


async def test_a_page_that_takes_no_frame_is_closed_and_raises_nothing() -> None:
    codes: list[int] = []
    told: list[str] = []

    async def send_frame(frame: str) -> None:
        told.append(frame)
        if len(told) == 2:
            raise RuntimeError("Attempt to send on a closed protocol")

    async def close_socket(code: int) -> None:
        codes.append(code)
        raise OSError("It is gone already.")

    page = Page(1, "", "", send_frame=send_frame, close_socket=close_socket)
    await page.send("one", "two", "three")
    await page.send("four")
    assert told == ["one", "two"]
    assert codes == [BROKEN]


@pytest.mark.django_db
def test_a_text_of_any_length_is_folded_and_all_of_it_can_be_shown(cast: Cast) -> None:
    words = "word " * 20_000
    message = cast.text_in(f"{words}the end")
    ana = client_of(cast.ana)
    page = ana.get(f"/threads/{message.thread_id}/").content.decode()
    assert "the end" not in page
    assert page.count("word ") < FOLDED_TO
    assert f'href="/messages/{message.pk}/text/"' in page
    fragment = ana.get(f"/messages/{message.pk}/text/", headers={"HX-Request": "true"})
    assert "the end" in fragment.content.decode()
    assert "<html" not in fragment.content.decode()
    whole = ana.get(f"/messages/{message.pk}/text/").content.decode()
    assert "the end" in whole
    assert f'href="/threads/{message.thread_id}/"' in whole


@pytest.mark.django_db
def test_what_an_agent_may_write_is_never_folded(cast: Cast) -> None:
    body = "x" * FOLDED_ABOVE
    message = cast.text_in(body)
    page = client_of(cast.ana).get(f"/threads/{message.thread_id}/").content.decode()
    assert body in page
    assert "Show all" not in page
