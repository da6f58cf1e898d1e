"""An agent's settings page: a level for each inbox, a sound, and their browsers."""

from __future__ import annotations

import pytest

from messaging.models import NotificationPreference
from tests.cast import Cast, client_of
from tests.markup import read_words


def chosen_levels(cast: Cast) -> dict[int, str]:
    mine = NotificationPreference.objects.filter(agent=cast.ben)
    return dict(mine.values_list("inbox", "level"))


def test_each_inbox_and_the_sound_are_kept(cast: Cast) -> None:
    client = client_of(cast.ben)
    front, dispatch = cast.front_desk.pk, cast.dispatch.pk
    data = {f"inbox_{front}": "mentions", f"inbox_{dispatch}": "inbound", "has_sound": "on"}
    answer = client.post("/settings/", data, follow=True)
    assert "Settings saved." in answer.content.decode()
    assert chosen_levels(cast) == {front: "mentions", dispatch: "inbound"}
    cast.ben.refresh_from_db()
    assert cast.ben.has_sound
    html = client.get("/settings/").content.decode()
    assert "data-sound" in html
    assert html[html.index("<main") : html.index("</main>")].count("checked") == 3
    client.post("/settings/", {**data, "has_sound": ""})
    assert "data-sound" not in client.get("/settings/").content.decode()


def test_only_the_agents_own_inboxes_are_offered_and_accepted(cast: Cast) -> None:
    client = client_of(cast.cho)
    html = client.get("/settings/").content.decode()
    assert "Front Desk" in html
    assert "Dispatch" not in html
    assert "Ana Ruiz" not in html
    data = {f"inbox_{cast.front_desk.pk}": "inbound", f"inbox_{cast.dispatch.pk}": "mentions"}
    client.post("/settings/", data)
    mine = NotificationPreference.objects.filter(agent=cast.cho)
    assert dict(mine.values_list("inbox", "level")) == {cast.front_desk.pk: "inbound"}


@pytest.mark.parametrize("level", ["", "nothing", "\x00"])
def test_an_unknown_level_is_refused_beside_its_inbox(cast: Cast, level: str) -> None:
    answer = client_of(cast.cho).post("/settings/", {f"inbox_{cast.front_desk.pk}": level})
    assert answer.status_code == 422
    assert "field-error" in answer.content.decode()
    assert not NotificationPreference.objects.exists()


def test_an_agent_without_inboxes_reads_whom_to_ask(cast: Cast) -> None:
    assert "Ask an administrator" in client_of(cast.dov).get("/settings/").content.decode()


def test_a_test_without_a_browser_says_so(cast: Cast) -> None:
    answer = client_of(cast.ana).post("/settings/test/", follow=True)
    assert "Push isn't set up on any device yet." in read_words(answer)


@pytest.mark.parametrize(
    "path", ["/settings/test/", "/settings/push/", "/settings/push/1/remove/"]
)
def test_changes_need_a_post(cast: Cast, path: str) -> None:
    assert client_of(cast.ana).get(path).status_code == 302
