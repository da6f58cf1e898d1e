"""An agent's settings page: a level for each inbox, a sound, and their browsers."""

from __future__ import annotations

import pytest
from django.urls import reverse

from inboxes.models import Inbox
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


def test_mine_and_mentions_says_whether_it_covers_what_is_nobodys(cast: Cast) -> None:
    words = "covers conversations that are nobody's too"
    client = client_of(cast.ben)
    assert read_words(client.get("/settings/")).count(words) == 2
    Inbox.objects.filter(pk=cast.front_desk.pk).update(unassigned_notifies=False)
    assert read_words(client.get("/settings/")).count(words) == 1
    data = {f"inbox_{one.pk}": "mine" for one in (cast.front_desk, cast.dispatch)}
    assert client.post("/settings/", data).status_code == 302
    assert set(chosen_levels(cast).values()) == {"mine"}


def test_a_personal_line_is_all_mine(cast: Cast) -> None:
    client = client_of(cast.ana)
    assert client.get("/settings/").text.count('value="mine"') == 2
    answer = client.post("/settings/", {f"inbox_{cast.anas_line.pk}": "mine"})
    assert answer.status_code == 422


def test_an_administrator_chooses_the_alert_and_whether_unassigned_ones_notify(
    cast: Cast,
) -> None:
    admin = client_of(cast.admin)
    change = reverse("admin:inboxes_inbox_change", args=[cast.front_desk.pk])
    page = read_words(admin.get(change))
    assert "Alert when a text waits for (minutes)" in page
    assert "Unassigned conversations notify" in page
    form = {
        "name": "Front Desk",
        "alert_after_minutes": "30",
        "memberships-TOTAL_FORMS": "0",
        "memberships-INITIAL_FORMS": "0",
        "labels-TOTAL_FORMS": "0",
        "labels-INITIAL_FORMS": "0",
    }
    assert admin.post(change, form).status_code == 302
    inbox = Inbox.objects.get(pk=cast.front_desk.pk)
    assert (inbox.alert_after_minutes, inbox.unassigned_notifies) == (30, False)
    for minutes in ("0", "10081", "-1", "soon"):
        answer = admin.post(change, {**form, "alert_after_minutes": minutes})
        assert answer.status_code == 200, minutes
    admin.post(change, {**form, "alert_after_minutes": "", "unassigned_notifies": "on"})
    inbox.refresh_from_db()
    assert (inbox.alert_after_minutes, inbox.unassigned_notifies) == (None, True)


def test_a_personal_line_has_an_alert_and_nothing_of_a_team(cast: Cast) -> None:
    change = reverse("admin:inboxes_inbox_change", args=[cast.anas_line.pk])
    page = client_of(cast.admin).get(change).text
    assert 'name="alert_after_minutes"' in page
    assert 'name="unassigned_notifies"' not in page
