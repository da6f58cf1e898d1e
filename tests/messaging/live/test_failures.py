"""Lost access, failing sockets and failing tasks affect only those concerned."""

from __future__ import annotations

import pytest
from channels.db import database_sync_to_async as in_database
from django.db import connection

from messaging.live import supervision
from messaging.live.frames import HEARTBEAT
from messaging.live.hub import hub_of_this_loop
from tests.cast import Cast
from tests.messaging.live.live_pages import PATIENCE, Opener, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

BY_PLAIN_SQL = {
    "password": "UPDATE inboxes_agent SET password = 'argon2$another' WHERE username = 'cho'",
    "deactivation": "UPDATE inboxes_agent SET is_active = false WHERE username = 'cho'",
    "sessions": "DELETE FROM django_session",
}


@pytest.mark.parametrize("way", BY_PLAIN_SQL)
async def test_access_removed_by_plain_sql_closes_the_pages_at_the_next_heartbeat(
    cast: Cast, opened: Opener, way: str
) -> None:
    cho = await opened(cast.cho, f"/inboxes/{cast.front_desk.pk}/")
    await hub_of_this_loop().compare_with_database()
    await cho.receive_until_idle()

    def change() -> None:
        with connection.cursor() as cursor:
            cursor.execute(BY_PLAIN_SQL[way])

    await in_database(change)()
    await hub_of_this_loop().compare_with_database()
    assert await cho.receive_close_code() == 4401
    assert not hub_of_this_loop().by_agent.get(cast.cho.pk)


async def test_a_page_to_which_sending_fails_is_closed_and_others_go_on(
    cast: Cast, opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = await in_database(cast.thread)()
    monkeypatch.setattr("messaging.live.hub.HEARTBEAT_INTERVAL", 0.05)
    ana = await opened(cast.ana, f"/threads/{thread.pk}/")
    ben = await opened(cast.ben, f"/threads/{thread.pk}/")
    cho = await opened(cast.cho, f"/threads/{thread.pk}/")
    (broken,) = hub_of_this_loop().by_agent[cast.ben.pk]

    async def fail(_: str) -> None:
        raise RuntimeError("Attempt to send on a closed protocol")

    broken.send_frame = fail
    await in_database(cast.text_in)("Past the broken page")
    await ana.wait_for(f"thread-{thread.pk}", "Past the broken page")
    await cho.wait_for(f"thread-{thread.pk}", "Past the broken page")
    assert await ben.receive_close_code() == 1011
    for page in (ana, cho):
        while await page.socket.receive_from(timeout=PATIENCE) != HEARTBEAT:
            pass


OVER_ALL_PAGES = ["heartbeats", "the comparison with the database"]


async def test_a_task_over_all_pages_that_fails_starts_again(
    cast: Cast, opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.live.supervision.RESTART_PAUSE", 0.01)
    monkeypatch.setattr("messaging.live.hub.HEARTBEAT_INTERVAL", 0.05)
    ana = await opened(cast.ana, "/")
    hub = hub_of_this_loop()
    monkeypatch.setattr(hub, "by_agent", None)  # so that every loop over the pages fails
    await wait_until(lambda: min(supervision.failures[task] for task in OVER_ALL_PAGES) >= 2)
    monkeypatch.undo()
    while await ana.socket.receive_from(timeout=PATIENCE) != HEARTBEAT:
        pass
