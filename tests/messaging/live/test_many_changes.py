"""One action on very many threads: pages get the rows that they have loaded."""

from __future__ import annotations

import json
import re

import pytest
from channels.db import database_sync_to_async as in_database

from messaging.live import rendering
from messaging.live.pages import BadMessage, PageView
from messaging.work.deeds import mark_done
from tests.cast import Cast
from tests.messaging.live.live_pages import LivePage, Opener, new_tab


def drawn_rows(page: LivePage) -> set[str]:
    rows = "".join(str(frame.get("rows", "")) for frame in page.frames)
    return set(re.findall(r'id="(thread-\d+)"', rows))


@pytest.mark.django_db(transaction=True)
async def test_a_page_gets_its_loaded_rows_and_asks_for_others_when_it_loads_them(
    cast: Cast, opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendering, "BATCH", 3)
    threads = [
        await in_database(cast.thread)(sender=f"+1202555{1000 + index}") for index in range(6)
    ]
    newest_first = [f"thread-{thread.pk}" for thread in reversed(threads)]
    page = await opened(cast.ana, f"/inboxes/{cast.front_desk.pk}/?only=all")
    seqs = dict(page.view["seqs"])
    second = page.placed[newest_first[1]]
    await page.send_view({**page.view, "until": second.key})
    await page.receive_until_idle()
    page.frames.clear()
    await in_database(mark_done)(
        inbox_id=cast.front_desk.pk,
        shown={thread.pk: thread.last_message_id for thread in threads},
        by=cast.ben,
    )
    await page.receive_until_idle()
    assert drawn_rows(page) == set(newest_first[:2])
    await page.send_view({**page.view, "until": "", "seqs": seqs})
    await page.receive_until_idle()
    tab = await in_database(new_tab)(cast.ana)
    fresh = await in_database(tab.load)(page.path)
    assert page.shown() == fresh.shown()


@pytest.mark.parametrize("key", ["7", "x-1", "-", 7, None, ["1-1"], "1-1" * 40])
def test_a_key_that_no_row_has_is_refused(key: object) -> None:
    with pytest.raises(BadMessage):
        PageView.parse(json.loads(json.dumps({"list": 1, "until": key})))
