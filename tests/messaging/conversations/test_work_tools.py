"""The tools of a conversation's title, their menus, and the region Details."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from inboxes.models import Agent
from messaging.conversations import details
from messaging.conversations.work_menus import snooze_choices
from messaging.live.pages import Page, Target
from messaging.live.readers import draw_changes
from messaging.models import Attachment, Message
from messaging.work import deeds
from tests.cast import ANAS_LINE, DISPATCH, Cast, client_of
from tests.markup import read_page, tags_on_one_line
from tests.messaging.scheduled_texts import schedule_in
from threads.models import Label, Thread

NEW_YORK = ZoneInfo("America/New_York")


def words_of(markup: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", markup).split())


def element(page: str, tag: str, key: str) -> str:
    """Return an element of the page by its id; no other of its tag is in it."""
    whole = tags_on_one_line(page)
    found = re.search(rf'<{tag} id="{key}".*?</{tag}>', whole, re.DOTALL)
    assert found, key
    return found[0]


def open_thread(agent: Agent, thread: Thread) -> str:
    return read_page(client_of(agent).get(f"/threads/{thread.pk}/"))


def assign(thread: Thread, *, to: Agent | None, by: Agent) -> None:
    deeds.assign_threads(inbox_id=thread.inbox_id, thread_ids=[thread.pk], assignee=to, by=by)


def draw_live(agent: Agent, thread: Thread, since: int) -> str:
    """Return the frames for the agent's page of the thread, since a counter of the inbox."""
    target = Target(
        page=Page(agent.pk, "", "", None, None),  # type: ignore[arg-type]
        agent_id=agent.pk,
        list=None,
        thread=thread.pk,
        with_seqs=True,
    )
    drawn = "".join(draw_changes(thread.inbox_id, since, [target])[2][0])
    return drawn.replace("\\n", "\n").replace('\\"', '"')


def choices_at(hour: datetime) -> list[tuple[str, str]]:
    with timezone.override(NEW_YORK):
        return [
            (choice.value, f"{timezone.localtime(choice.until):%a %H:%M}")
            for choice in snooze_choices(hour.astimezone(UTC))
        ]


def test_snoozes_are_offered_by_the_readers_clocks() -> None:
    wednesday = datetime(2026, 11, 18, 10, 20, tzinfo=NEW_YORK)
    assert choices_at(wednesday) == [
        ("later", "Wed 13:00"),
        ("tomorrow", "Thu 08:00"),
        ("monday", "Mon 08:00"),
    ]


def test_late_in_the_evening_and_on_a_sunday_no_moment_is_offered_twice() -> None:
    evening = datetime(2026, 11, 18, 21, 30, tzinfo=NEW_YORK)
    sunday = datetime(2026, 11, 22, 9, tzinfo=NEW_YORK)
    assert [value for value, _ in choices_at(evening)] == ["tomorrow", "monday"]
    assert [value for value, _ in choices_at(sunday)] == ["later", "tomorrow"]


@pytest.mark.django_db
def test_the_menu_has_me_first_then_the_other_members_then_nobody(cast: Cast) -> None:
    thread = cast.thread()
    assign(thread, to=cast.cho, by=cast.ana)
    menus = read_page(client_of(cast.ben).get(f"/threads/{thread.pk}/menus/"))
    found = re.findall(r'aria-checked="(true|false)" [^>]*name="assignee" value="([^"]*)"', menus)
    members = [("false", "me"), ("false", str(cast.ana.pk)), ("true", str(cast.cho.pk))]
    assert found == [*members, ("false", "")]
    assert "Dov" not in menus


@pytest.mark.django_db
def test_a_personal_line_has_nobody_to_assign_to(cast: Cast) -> None:
    page = open_thread(cast.ana, cast.thread(to=ANAS_LINE))
    assert 'id="assign-button"' not in page
    assert 'id="assign-menu"' not in page
    assert 'id="snooze-menu"' in page


@pytest.mark.django_db
def test_labels_are_ticked_in_a_menu_only_where_the_inbox_has_some(cast: Cast) -> None:
    thread = cast.thread()
    page = open_thread(cast.ana, thread)
    assert 'id="labels-menu"' not in page
    assert "data-has-labels" not in page, "Details leave labels out"
    install = Label.objects.create(inbox=cast.front_desk, name="Install", colour="violet")
    page = open_thread(cast.ana, thread)
    assert "data-has-labels" in page
    assert "Labels None" in words_of(element(page, "div", f"facts-{thread.pk}"))
    Label.objects.create(inbox=cast.front_desk, name="Gone", deleted_at=timezone.now())
    Label.objects.create(inbox=cast.dispatch, name="Elsewhere")
    Thread.objects.filter(pk=thread.pk).update(label_ids=[install.pk])
    page = open_thread(cast.ana, thread)
    menu = page[page.index('id="labels-menu"') :]
    assert re.findall(r'aria-checked="(\w+)"', menu) == ["true"]
    assert "Install" in element(page, "div", f"facts-{thread.pk}")
    assert "Gone" not in page
    assert "Elsewhere" not in page


@pytest.mark.django_db
def test_the_title_says_whose_it_is_and_until_when_it_is_snoozed(cast: Cast) -> None:
    thread = cast.thread()
    assign(thread, to=cast.ben, by=cast.ana)
    until = datetime(2199, 3, 4, 8, tzinfo=UTC)
    shown = {thread.pk: thread.last_message_id or 0}
    deeds.snooze(inbox_id=thread.inbox_id, shown=shown, until=until, by=cast.ana)
    page = open_thread(cast.ana, thread)
    work, title = (element(page, "div", f"{name}-{thread.pk}") for name in ("work", "title"))
    assert "Assigned to Ben Okafor" in work
    assert words_of(work) == "BO Ben Snooze Done"
    assert "Snoozed until Mon, Mar 4, 2199, 8:00 AM End snooze" in words_of(title)
    deeds.mark_done(inbox_id=thread.inbox_id, shown=shown, by=cast.ana)
    page = open_thread(cast.ana, thread)
    assert words_of(element(page, "div", f"work-{thread.pk}")) == "BO Ben Snooze Reopen"
    assert "End snooze" not in element(page, "div", f"title-{thread.pk}")


@pytest.mark.django_db
def test_a_change_is_drawn_for_each_open_page_and_mine_is_green(cast: Cast) -> None:
    thread = cast.thread()
    since = Thread.objects.get(pk=thread.pk).seq
    assign(thread, to=cast.ben, by=cast.ana)
    mine, theirs = (draw_live(agent, thread, since) for agent in (cast.ben, cast.ana))
    for drawn in (mine, theirs):
        assert "Ben Okafor" in element(drawn, "div", f"facts-{thread.pk}")
    assert "face is-mine" in element(mine, "div", f"work-{thread.pk}")
    assert "face is-mine" not in element(theirs, "div", f"work-{thread.pk}")
    assert "work-" not in draw_live(cast.dov, thread, since), "no member"


@pytest.mark.django_db
@pytest.mark.parametrize("way", ["htmx", "plain"])
def test_a_deed_answers_with_the_tools_or_leads_back(cast: Cast, way: str) -> None:
    thread = cast.thread()
    headers = {"HX-Request": "true"} if way == "htmx" else {}
    client: Client = client_of(cast.ana)
    tomorrow = (timezone.localdate() + timedelta(days=1)).isoformat()
    for deed, form, words in (
        ("assign", {"assignee": "me"}, "AR Ana Snooze Done"),
        ("snooze", {"when": "date", "date": tomorrow, "time": "08:00"}, "AR Ana Snooze Done"),
        ("reopen", {}, "AR Ana Snooze Done"),
        ("done", {"message": str(thread.last_message_id)}, "AR Ana Snooze Reopen"),
    ):
        answer = client.post(f"/threads/{thread.pk}/{deed}/", form, headers=headers)
        if way == "plain":
            assert answer.headers["Location"] == f"/threads/{thread.pk}/"
            page = open_thread(cast.ana, thread)
        else:
            page = read_page(answer)
        assert words_of(element(page, "div", f"work-{thread.pk}")) == words, deed
        seq = Thread.objects.get(pk=thread.pk).seq
        assert f'data-seq="{seq}"' in element(page, "div", f"work-{thread.pk}")


@pytest.mark.django_db
def test_details_show_the_contacts_other_inboxes_only_to_their_members(cast: Cast) -> None:
    thread, elsewhere = cast.thread(), cast.thread(to=DISPATCH)
    private = cast.thread(to=ANAS_LINE)

    def shown_to(agent: Agent) -> list[int]:
        read = details.read_details(Thread.objects.get(pk=thread.pk), agent, {})
        return [other.pk for other in read.others]

    assert shown_to(cast.ana) == [private.pk, elsewhere.pk]
    assert shown_to(cast.ben) == [elsewhere.pk]
    assert shown_to(cast.cho) == []
    assert f"/threads/{elsewhere.pk}/" in open_thread(cast.ben, thread)
    assert f"/threads/{elsewhere.pk}/" not in open_thread(cast.cho, thread)


def add_files(message: Message, number: int) -> list[Attachment]:
    return Attachment.objects.bulk_create(
        Attachment(
            thread=message.thread,
            message=message,
            kind="file",
            state="ready",
            name=f"plan-{index}.pdf",
            content_type="application/pdf",
            size=240_000,
            stored_name=f"of-{message.pk}-{index}",
        )
        for index in range(number)
    )


@pytest.mark.django_db
def test_details_show_the_newest_files_and_lead_to_all(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = cast.text_in("Here are the plans")
    thread = message.thread
    assert "hidden" in element(open_thread(cast.ana, thread), "section", f"files-{thread.pk}")
    add_files(message, 14)
    Attachment.objects.filter(name="plan-13.pdf").update(state="failed")
    part = element(open_thread(cast.ana, thread), "section", f"files-{thread.pk}")
    assert re.findall(r"plan-(\d+).pdf", part) == [str(index) for index in range(12, 0, -1)]
    assert "Show all" in part
    monkeypatch.setattr("messaging.conversations.views.details.FILES_ON_PAGE", 10)
    client = client_of(cast.ana)
    first = read_page(client.get(f"/threads/{thread.pk}/files/", headers={"HX-Request": "true"}))
    assert re.findall(r"plan-(\d+).pdf", first) == [str(index) for index in range(12, 2, -1)]
    older = re.search(r'href="(/threads/\d+/files/\?before=\d+)"', first)
    assert older
    rest = read_page(client.get(older[1], headers={"HX-Request": "true"}))
    assert re.findall(r"plan-(\d+).pdf", rest) == ["2", "1", "0"]


@pytest.mark.django_db
def test_files_and_scheduled_texts_reach_open_details(cast: Cast) -> None:
    thread = cast.thread()
    since = Thread.objects.get(pk=thread.pk).seq
    text = schedule_in(cast, thread)
    message = cast.text_in("Here is the plan")
    add_files(message, 1)
    Message.objects.filter(pk=message.pk).update(file_count=1)
    drawn = draw_live(cast.ben, thread, since)
    assert "plan-0.pdf" in element(drawn, "section", f"files-{thread.pk}")
    assert text.body in element(drawn, "li", f"planned-{text.pk}")
