"""The requests behind the toolbar for many conversations, with scripts and without."""

from __future__ import annotations

import json
from typing import Any

import pytest

from inboxes.actions import remove_member
from inboxes.models import Agent
from messaging.models import BulkAction
from messaging.work import bulk
from tests.cast import ANAS_LINE, DISPATCH, Cast, client_of
from tests.markup import read_words
from tests.messaging.work.test_bulk import make_threads
from threads.models import Label, Thread

HTMX = {"HX-Request": "true"}


def name_thread(thread: Thread) -> str:
    """Name a thread as the checkbox of its row does."""
    return f"{thread.pk}-{Thread.objects.get(pk=thread.pk).last_message_id}"


def post(agent: Agent, deed: str, *threads: Thread, htmx: bool = True, **form: str) -> Any:
    fields = {"deed": deed, "thread": [name_thread(one) for one in threads], **form}
    return client_of(agent).post("/bulk/", fields, headers=HTMX if htmx else {})


def done_threads() -> set[Thread]:
    return set(Thread.objects.filter(status="done"))


def test_the_answer_says_what_was_done_and_offers_to_undo_it(cast: Cast) -> None:
    first, second, _ = make_threads(cast, 3)
    answer = post(cast.ana, "done", first, second, inbox=str(cast.front_desk.pk))
    action = BulkAction.objects.get()
    assert "2 conversations marked done" in read_words(answer)
    assert f'hx-post="/bulk/{action.pk}/undo/"' in read_words(answer)
    assert done_threads() == {first, second}
    undone = client_of(cast.ana).post(f"/bulk/{action.pk}/undo/", headers=HTMX)
    assert "Undone" in read_words(undone)
    assert "<button" not in read_words(undone)
    assert not done_threads()
    again = client_of(cast.ana).post(f"/bulk/{action.pk}/undo/", headers=HTMX)
    assert (again.status_code, read_words(again)) == (422, "This can't be undone any more.")


def test_the_form_works_without_scripts(cast: Cast) -> None:
    first, second = make_threads(cast, 2)
    client, inbox = client_of(cast.ana), str(cast.front_desk.pk)
    fields = {"deed": "done", "thread": name_thread(first), "inbox": inbox, "only": "open"}
    page = client.post("/bulk/", fields, follow=True)
    assert page.redirect_chain == [(f"/inboxes/{inbox}/?only=open", 302)]
    assert "1 conversation marked done" in read_words(page)
    assert f'formaction="/bulk/{BulkAction.objects.get().pk}/undo/"' in read_words(page)
    nothing = client.post("/bulk/", fields | {"thread": ""}, follow=True)
    assert "Select conversations first." in read_words(nothing)
    asked = client.post("/bulk/", fields | {"deed": "assign", "thread": name_thread(second)})
    assert "Assign 1 conversation" in read_words(asked)
    assert f'<option value="{cast.ben.pk}">Ben Okafor</option>' in read_words(asked)
    chosen = fields | {"deed": "assign", "thread": name_thread(second), "assignee": "me"}
    told = client.post("/bulk/", chosen, follow=True)
    assert "1 conversation assigned to you" in read_words(told)
    second.refresh_from_db()
    assert second.assignee == cast.ana


def test_without_scripts_it_asks_until_when_and_which_label(cast: Cast) -> None:
    (thread,) = make_threads(cast, 1)
    label = Label.objects.create(inbox=cast.front_desk, name="Install")
    inbox = str(cast.front_desk.pk)
    page = read_words(post(cast.ana, "snooze", thread, htmx=False, inbox=inbox))
    assert "Snooze 1 conversation" in page
    assert '<option value="tomorrow">' in page
    page = read_words(post(cast.ana, "label", thread, htmx=False, inbox=inbox))
    assert f'<option value="{label.pk}">Install</option>' in page


def test_many_are_snoozed_and_labelled(cast: Cast) -> None:
    here, there = make_threads(cast, 2), make_threads(cast, 1, to=DISPATCH)
    label = Label.objects.create(inbox=cast.front_desk, name="Install")
    assert "3 conversations snoozed" in read_words(
        post(cast.ana, "snooze", *here, *there, when="tomorrow")
    )
    assert Thread.objects.filter(status="snoozed").count() == 3
    told = read_words(post(cast.ana, "label", *here, *there, use=str(label.pk)))
    assert "Added Install to 2 conversations" in told
    assert "1 left out: there is no label Install in Dispatch" in told
    assert {one.pk for one in Thread.objects.filter(label_ids=[label.pk])} == {
        one.pk for one in here
    }
    told = read_words(post(cast.ana, "unlabel", *here, use=str(label.pk)))
    assert "Removed Install from 2 conversations" in told
    assert not Thread.objects.filter(label_ids=[label.pk]).exists()


def test_nobody_reaches_what_they_may_not_see(cast: Cast) -> None:
    mine, hers = cast.thread(), cast.thread(to=ANAS_LINE)
    answers = [
        client_of(cast.ben).post("/bulk/", {"deed": "done", "thread": f"{key}-9"}, headers=HTMX)
        for key in (hers.pk, 2**40)
    ]
    # They differ in the key of the action.
    words = {read_words(answer).partition(">")[2] for answer in answers}
    assert len(words) == 1
    assert not done_threads()
    post(cast.ben, "done", mine)
    action = BulkAction.objects.latest("pk")
    for path, deed in (("", "get"), ("undo/", "post")):
        for agent in (cast.ana, cast.dov):
            ask = getattr(client_of(agent), deed)
            theirs, nothing = ask(f"/bulk/{action.pk}/{path}"), ask(f"/bulk/{2**40}/{path}")
            assert theirs.status_code == nothing.status_code == 404
            assert theirs.content == nothing.content
    assert done_threads() == {mine}
    for inbox in (cast.front_desk.pk, cast.anas_line.pk, 2**40):
        form = {"deed": "done", "thread": "1-1", "inbox": str(inbox)}
        assert client_of(cast.dov).post("/bulk/", form).status_code == 404
        assert client_of(cast.dov).get("/bulk/tools/", {"inbox": inbox}).status_code == 404


def test_nobody_learns_the_name_of_an_agent_they_do_not_know(cast: Cast) -> None:
    (thread,) = make_threads(cast, 1)
    words = {
        read_words(post(cast.ana, "assign", thread, assignee=str(key))).partition(">")[2]
        for key in (cast.dov.pk, 2**40)
    }
    assert len(words) == 1
    assert "1 not assigned: this person isn't in Front Desk" in words.pop()
    thread.refresh_from_db()
    assert thread.assignee is None
    remove_member(inbox=cast.front_desk, agent=cast.cho, changed_by=None)
    told = read_words(post(cast.ana, "assign", thread, assignee=str(cast.cho.pk)))
    assert "1 not assigned: Cho isn't in Front Desk" in told


def test_all_of_a_view_is_selected_as_it_was_shown(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = make_threads(cast, 2)
    post(cast.ana, "assign", first, second, assignee="me")
    client, inbox = client_of(cast.ana), str(cast.front_desk.pk)
    tools = read_words(client.get("/bulk/tools/", {"inbox": inbox, "only": "mine"}))
    assert 'data-found="2"' in tools
    newest = json.dumps({inbox: second.messages.latest("pk").pk})
    cast.text_in("Wait!", sender=second.contact.address)
    fields = {"deed": "done", "inbox": inbox, "only": "mine", "newest": newest}
    answer = read_words(client.post("/bulk/", fields, headers=HTMX))
    action = BulkAction.objects.latest("pk")
    assert "Marking all in this view as done…" in answer
    assert f'data-progress="/bulk/{action.pk}/"' in answer
    bulk.go_on(action.pk)
    assert done_threads() == {first}
    told = read_words(client.get(f"/bulk/{action.pk}/", headers=HTMX))
    assert "1 conversation marked done" in told
    assert "data-progress" not in told
    assert "1 conversation marked done" in read_words(client.get(f"/bulk/{action.pk}/"))


def test_the_tools_name_members_and_labels_of_the_list_alone(cast: Cast) -> None:
    Label.objects.create(inbox=cast.front_desk, name="Install")
    Label.objects.create(inbox=cast.dispatch, name="install")
    Label.objects.create(inbox=cast.dispatch, name="Late")
    tools = read_words(client_of(cast.ana).get("/bulk/tools/", {"inbox": cast.dispatch.pk}))
    assert "Ben Okafor" in tools
    assert "Cho Park" not in tools
    over_all = read_words(client_of(cast.ana).get("/bulk/tools/"))
    assert "Cho Park" in over_all
    assert over_all.count("label-mark") == 2
    remove_member(inbox=cast.front_desk, agent=cast.ana, changed_by=None)
    assert "Cho Park" not in read_words(client_of(cast.ana).get("/bulk/tools/"))


@pytest.mark.parametrize(
    "form",
    [
        {"thread": "x"},
        {"thread": "1"},
        {"thread": "1-2-3"},
        {"thread": ["1-1", "²-1"]},
        {"thread": " ".join(f"{n}-1" for n in range(2_001))},
        {"newest": "[1]"},
        {"newest": '{"1": "x"}'},
        {"newest": '{"1": null}'},
        {"newest": "{" * 9_999},
        {},
    ],
)
def test_a_selection_that_no_page_makes_is_refused(cast: Cast, form: dict[str, Any]) -> None:
    answer = client_of(cast.ana).post("/bulk/", form | {"deed": "done"}, headers=HTMX)
    assert answer.status_code == 422
    assert not BulkAction.objects.exists()
