"""A blocked contact is shown in Blocked alone, and every deed leaves them blocked."""

from __future__ import annotations

import pytest
from django.test import Client

from inboxes.models import Agent
from messaging.contacts.blocking import block_contact
from messaging.models import BulkAction
from messaging.work import bulk, bulk_words
from messaging.work.bulk_deeds import Deed
from messaging.work.labels import label_threads
from messaging.work.whole_views import WholeView
from tests.cast import DISPATCH, Cast, client_of
from tests.markup import read_page
from threads.filters import ThreadFilter
from threads.models import Contact, Label, Thread

pytestmark = pytest.mark.django_db
OTHER = "+12025550188"


def blocked_thread(cast: Cast, *, to: str = "+12025550110") -> Thread:
    thread = cast.text_in("Cheap gaskets, buy now", to=to).thread
    block_contact(contact=thread.contact, by=cast.ben)
    return Thread.objects.get(pk=thread.pk)


def shows(client: Client, path: str, thread: Thread) -> bool:
    return f'id="thread-{thread.pk}"' in read_page(client.get(path))


def test_only_blocked_shows_the_thread(cast: Cast) -> None:
    thread, elsewhere = blocked_thread(cast), blocked_thread(cast, to=DISPATCH)
    client, inbox = client_of(cast.ana), f"/inboxes/{cast.front_desk.pk}/"
    for only in ("all", "open", "mine", "unassigned", "reply", "unread", "failed", "done"):
        assert not shows(client, f"{inbox}?only={only}", thread), only
        assert not shows(client, f"/?only={only}", thread), only
    assert shows(client, f"{inbox}?only=blocked", thread)
    assert shows(client, "/?only=blocked", thread)
    assert shows(client, "/?only=blocked", elsewhere)
    assert 'data-view="blocked Blocked"' in read_page(client.get(inbox))


def test_nobody_is_blocked_yet(cast: Cast) -> None:
    page = read_page(client_of(cast.ana).get(f"/inboxes/{cast.front_desk.pk}/?only=blocked"))
    assert "Nobody is blocked" in page


def test_the_conversation_says_who_blocked_and_offers_unblock(cast: Cast) -> None:
    thread = blocked_thread(cast)
    page = read_page(client_of(cast.ana).get(f"/threads/{thread.pk}/"))
    assert "Ben Okafor blocked this contact" in page
    assert "Their texts are kept here, and nobody is told of them." in page
    assert f'formaction="/contacts/{thread.contact_id}/unblock/"' in page
    assert 'id="message-box"' not in page
    assert 'id="snooze-button"' not in page
    assert "done-button" not in page


def test_blocking_offers_undo_with_and_without_scripts(cast: Cast) -> None:
    thread = cast.thread()
    client, path = client_of(cast.ana), f"/contacts/{thread.contact_id}/block/"
    plain = client.post(path)
    assert plain.headers["Location"] == f"/threads/{thread.pk}/"
    contact = Contact.objects.get(pk=thread.contact_id)
    assert contact.blocked_at is not None
    undo = f'value="{contact.blocked_at.isoformat()}"'
    assert undo in client.get(f"/threads/{thread.pk}/").content.decode()
    unblock = f"/contacts/{thread.contact_id}/unblock/"
    client.post(unblock, {"undoes": contact.blocked_at.isoformat()})
    assert Thread.objects.get(pk=thread.pk).status == "open"
    answer = client.post(path, headers={"HX-Request": "true"}).content.decode()
    assert "data-offer" in answer
    assert 'data-status="blocked"' in answer
    assert "data-offer" not in client.post(path, headers={"HX-Request": "true"}).content.decode()
    answer = client.post(unblock, headers={"HX-Request": "true"}).content.decode()
    assert 'data-status="open"' in answer


@pytest.mark.parametrize("undoes", ["yesterday", "2026-11-03", "2026-11-03T10:00:00", "0" * 41])
def test_an_undo_of_no_moment_is_not_found(cast: Cast, undoes: str) -> None:
    thread = blocked_thread(cast)
    path = f"/contacts/{thread.contact_id}/unblock/"
    assert client_of(cast.ana).post(path, {"undoes": undoes}).status_code == 404
    assert Thread.objects.get(pk=thread.pk).status == "blocked"


@pytest.mark.parametrize(
    ("deed", "form"),
    [("done", {"message": "1"}), ("reopen", {}), ("snooze", {"when": "tomorrow"})],
)
def test_deeds_on_a_blocked_thread_are_refused_with_a_sentence(
    cast: Cast, deed: str, form: dict[str, str]
) -> None:
    thread = blocked_thread(cast)
    path = f"/threads/{thread.pk}/{deed}/"
    answer = client_of(cast.ana).post(path, form, headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert answer.content.decode() == "This contact is blocked. Unblock them first."
    assert Thread.objects.get(pk=thread.pk).status == "blocked"


@pytest.mark.parametrize("deed", [Deed.DONE, Deed.REOPEN, Deed.SNOOZE])
def test_a_deed_with_many_leaves_blocked_ones_blocked_and_says_so(cast: Cast, deed: Deed) -> None:
    thread, other = blocked_thread(cast), cast.thread(sender=OTHER)
    details = {"until": "2030-01-01T08:00:00+00:00"} if deed == Deed.SNOOZE else {}
    action = bulk.begin(
        agent=cast.ana, deed=deed, shown={thread.pk: 0, other.pk: 2**60}, details=details
    )
    assert "1 is blocked and stays so" in bulk_words.describe(action)
    if deed != Deed.REOPEN:
        bulk.undo(action=BulkAction.objects.get())
    assert Thread.objects.get(pk=thread.pk).status == "blocked"
    assert Thread.objects.get(pk=other.pk).status == "open"


def found(agent: Agent, path: str) -> str:
    return read_page(client_of(agent).get(path))


def test_a_search_finds_blocked_contacts_within_blocked_alone(cast: Cast) -> None:
    thread, other = blocked_thread(cast), cast.text_in("Is my gasket here?", sender=OTHER).thread
    inbox = f"/inboxes/{cast.front_desk.pk}/"
    for path in (f"{inbox}?q=gasket", f"{inbox}search/?q=gasket", "/search/?q=gasket"):
        plain = found(cast.ana, path)
        assert f"/threads/{other.pk}/" in plain
        assert f"/threads/{thread.pk}/" not in plain
        within = found(cast.ana, f"{path}&only=blocked")
        assert f"/threads/{other.pk}/" not in within
        assert f"/threads/{thread.pk}/" in within
        assert 'name="only" value="blocked"' in within


def test_numbers_labels_and_activity_of_blocked_contacts_are_found_there_too(cast: Cast) -> None:
    thread = cast.thread()
    label = Label.objects.create(inbox=cast.front_desk, name="Nuisance")
    label_threads(
        inbox_id=thread.inbox_id,
        thread_ids=[thread.pk],
        label_id=label.pk,
        is_on=True,
        by=cast.ana,
    )
    block_contact(contact=thread.contact, by=cast.ben)
    for wanted in ("5550177", "nuisance", "blocked+contact"):
        assert f"/threads/{thread.pk}/" not in found(cast.ana, f"/search/?q={wanted}"), wanted
        within = found(cast.ana, f"/search/?q={wanted}&only=blocked")
        assert f"/threads/{thread.pk}/" in within, wanted


def test_unread_threads_of_blocked_contacts_are_not_counted(cast: Cast) -> None:
    thread = blocked_thread(cast)
    cast.text_in("Once more")
    client = client_of(cast.ana)
    assert "row row-thread unread" not in read_page(client.get("/?only=blocked"))
    client.post(f"/threads/{thread.pk}/unread/")
    assert "row row-thread unread" in read_page(client.get("/?only=blocked"))
    assert "row-inbox unread" not in read_page(client.get("/?only=all"))


def test_whoever_blocked_a_contact_reads_you(cast: Cast) -> None:
    thread = blocked_thread(cast)
    shown = read_page(client_of(cast.ben).get(f"/threads/{thread.pk}/"))
    assert shown.count("You blocked this contact") == 2, "in place of the composer, and in Details"
    assert "Ben Okafor blocked" not in shown.replace('data-refusal="Ben Okafor blocked', "")
    panel = read_page(client_of(cast.ben).get(f"/contacts/{thread.contact_id}/"))
    assert "You blocked this contact" in panel
    refused = client_of(cast.ben).post(f"/threads/{thread.pk}/messages/", {"body": "Hello"})
    assert "You blocked this contact" in read_page(refused)
    assert "You blocked this contact" not in read_page(
        client_of(cast.ana).get(f"/threads/{thread.pk}/")
    )


def test_start_says_that_a_contact_is_blocked_before_anyone_types(cast: Cast) -> None:
    blocked_thread(cast)
    asked = {"to": "+12025550177", "inbox": str(cast.front_desk.pk)}
    client = client_of(cast.ana)
    page = read_page(client.get("/start/to/", asked, headers={"HX-Request": "true"}))
    assert "Ben Okafor blocked this contact. Unblock them to text them." in page
    his = read_page(client_of(cast.ben).get("/start/to/", asked, headers={"HX-Request": "true"}))
    assert "You blocked this contact. Unblock them to text them." in his
    elsewhere = asked | {"inbox": str(cast.dispatch.pk)}
    page = read_page(client.get("/start/to/", elsewhere, headers={"HX-Request": "true"}))
    assert "blocked" not in page


def test_all_of_blocked_can_be_selected_though_no_inbox_shows_their_texts(cast: Cast) -> None:
    cast.thread(sender=OTHER)
    thread = blocked_thread(cast)
    view = WholeView.seen_now(cast.ana, cast.front_desk, ThreadFilter.of(["blocked"]))
    action = bulk.begin_with_view(agent=cast.ana, deed=Deed.UNREAD, view=view, details={})
    bulk.go_on(action.pk)
    assert list(action.items.values_list("thread", flat=True)) == [thread.pk]
