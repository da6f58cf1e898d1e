"""The pages of saved replies: who sees which, and how they are written, changed and deleted."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile

from inboxes.actions import remove_member
from inboxes.models import Agent, Inbox
from messaging.attachments.storing import load_bytes
from messaging.models import Attachment, SavedReply, SavedReplyFile
from messaging.replies import actions
from tests.cast import Cast, client_of
from tests.markup import read_text, read_words, without_bdi
from tests.messaging.attachments.picture_bytes import make_picture


def save(
    agent: Agent,
    name: str,
    body: str = "Hello",
    *,
    owner: Inbox | None = None,
    path: str = "/replies/new/",
    **more: Any,
) -> Any:
    form = {"name": name, "body": body, "owner": owner.pk if owner else "me", **more}
    return client_of(agent).post(path, form)


def change(agent: Agent, reply: SavedReply, **more: Any) -> Any:
    """Post the form of a reply as its page shows it now, with some fields changed."""
    reply.refresh_from_db()
    form = {
        "name": reply.name,
        "body": reply.body,
        "owner": reply.inbox_id or "me",
        "version": reply.version,
    }
    return client_of(agent).post(f"/replies/{reply.pk}/", form | more)


def delete(agent: Agent, reply: SavedReply) -> Any:
    return client_of(agent).post(f"/replies/{reply.pk}/delete/")


def field_error(answer: Any, field: str) -> str:
    assert answer.status_code == 422
    found = re.search(rf'id="reply-{field}-error">([^<]*)</p>', answer.content.decode())
    assert found is not None
    return found[1].strip().replace("&#x27;", "'")


def groups(agent: Agent, query: str = "") -> dict[str, list[str]]:
    """Return the names of the replies on the page, by the title of their group."""
    page = without_bdi(client_of(agent).get(f"/replies/{query}").content.decode())
    return {
        re.findall(r"<h2[^>]*>(.*?)</h2>", part)[0]: re.findall(r">/([^<\s]+)\s*<", part)
        for part in page.split('<section class="reply-group"')[1:]
    }


@pytest.fixture
def arrival(cast: Cast) -> SavedReply:
    return actions.create_reply(
        inbox=cast.front_desk, agent=cast.ana, name="arrival", body="Hi {first name}, on our way."
    )


def pdf(name: str = "terms.pdf") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, b"%PDF-1.7 terms")


# Whose they are


def test_replies_stand_under_their_inbox_and_ones_own_last(
    cast: Cast, arrival: SavedReply
) -> None:
    save(cast.ana, "mine")
    save(cast.ben, "bens")
    save(cast.ben, "truck", owner=cast.dispatch)
    assert groups(cast.ana) == {
        "Dispatch": ["truck"],
        "Front Desk": ["arrival"],
        "Only me": ["mine"],
    }
    assert groups(cast.cho) == {"Front Desk": ["arrival"], "Only me": []}
    assert groups(cast.dov) == {"Only me": []}


def test_what_is_used_most_stands_first(cast: Cast, arrival: SavedReply) -> None:
    save(cast.ana, "zebra", owner=cast.front_desk)
    assert groups(cast.ana)["Front Desk"] == ["arrival", "zebra"]
    zebra = SavedReply.objects.get(name="zebra")
    actions.use_reply(reply=zebra, thread=None, agent=cast.ana)
    assert groups(cast.ana)["Front Desk"] == ["zebra", "arrival"]
    page = client_of(cast.ana).get("/replies/").content.decode()
    assert "Used once" in page
    assert "Not used yet" in page


def test_search_finds_beginnings_of_words_in_names_and_texts(
    cast: Cast, arrival: SavedReply
) -> None:
    save(cast.ana, "Tür-zu", "Close the door")
    assert groups(cast.ana, "?q=arr") == {"Front Desk": ["arrival"]}
    assert groups(cast.ana, "?q=WAY+on") == {"Front Desk": ["arrival"]}
    assert groups(cast.ana, "?q=tur") == {"Only me": ["Tür-zu"]}
    assert groups(cast.ana, "?q=rrival") == {}
    assert "No saved reply matches" in read_words(client_of(cast.ana).get("/replies/?q=rrival"))


def test_any_member_changes_and_deletes_a_reply_of_the_inbox(
    cast: Cast, arrival: SavedReply
) -> None:
    assert change(cast.cho, arrival, body="Nearly there").status_code == 302
    arrival.refresh_from_db()
    assert (arrival.body, arrival.changed_by) == ("Nearly there", cast.cho)
    assert "arrival" in read_words(client_of(cast.ben).get(f"/replies/{arrival.pk}/delete/"))
    assert SavedReply.objects.exists()
    assert delete(cast.ben, arrival).status_code == 302
    assert not SavedReply.objects.exists()


def test_nobody_else_sees_a_reply_that_is_ones_own(cast: Cast) -> None:
    save(cast.ana, "mine")
    mine = SavedReply.objects.get()
    assert (mine.agent, mine.inbox) == (cast.ana, None)
    for path in (f"/replies/{mine.pk}/", f"/replies/{mine.pk}/delete/"):
        assert client_of(cast.ben).get(path).status_code == 404
        assert client_of(cast.ben).post(path, {"name": "x"}).status_code == 404
    assert SavedReply.objects.get().name == "mine"


def test_whoever_leaves_the_inbox_loses_its_replies_at_once(
    cast: Cast, arrival: SavedReply
) -> None:
    remove_member(inbox=cast.front_desk, agent=cast.cho, changed_by=cast.admin)
    assert groups(cast.cho) == {"Only me": []}
    assert client_of(cast.cho).get(f"/replies/{arrival.pk}/").status_code == 404
    assert change(cast.cho, arrival, body="x").status_code == 404
    assert delete(cast.cho, arrival).status_code == 404
    refused = save(cast.cho, "hello", owner=cast.front_desk)
    assert "no longer in this inbox" in field_error(refused, "owner")
    foreign = f"/replies/new/?inbox={cast.front_desk.pk}"
    assert client_of(cast.cho).get(foreign).status_code == 404


def test_ones_own_can_be_shared_with_an_inbox(cast: Cast) -> None:
    save(cast.ana, "mine")
    mine = SavedReply.objects.get()
    assert change(cast.ana, mine, owner=cast.front_desk.pk).status_code == 302
    assert groups(cast.cho)["Front Desk"] == ["mine"]
    assert groups(cast.ana)["Only me"] == []


def test_a_new_reply_is_preset_for_the_inbox_whose_button_was_pressed(cast: Cast) -> None:
    def chosen(query: str) -> str:
        page = client_of(cast.ana).get(f"/replies/new/{query}").content.decode()
        (label,) = re.findall(r'<option value="[^"]+" selected>([^<]+)<', page)
        return str(label)

    assert chosen(f"?inbox={cast.front_desk.pk}") == "Everyone in Front Desk"
    assert chosen("") == "Only me"
    line = client_of(cast.ana).get(f"/replies/new/?inbox={cast.anas_line.pk}")
    assert line.status_code == 404


# Names and texts


@pytest.mark.parametrize("name", ["arrival-window", "été_2", "到着", "प्रणाम", "/hello", " hi "])
def test_a_name_is_one_word_of_any_script(cast: Cast, name: str) -> None:
    assert save(cast.ana, name).status_code == 302
    assert SavedReply.objects.get().name == name.strip().removeprefix("/")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "Give it a short name, such as arrival."),
        ("/", "Give it a short name, such as arrival."),
        ("arrival window", "Use one word, such as arrival-window."),
        ("a/b", "Use one word: letters, digits, - and _."),
        ("hi!", "Use one word: letters, digits, - and _."),
        ("--", "Use one word: letters, digits, - and _."),
        ("a\u200bb", "Use one word: letters, digits, - and _."),
        ("a" * 41, "Use at most 40 characters for a name."),
        ("a" * 201, "Use at most 40 characters for a name."),
    ],
)
def test_another_name_is_refused_beside_its_field(cast: Cast, name: str, sentence: str) -> None:
    answer = save(cast.ana, name, "Some words")
    assert field_error(answer, "name") == sentence
    assert "Some words</textarea>" in answer.content.decode()
    assert not SavedReply.objects.exists()


def test_a_name_is_unique_for_its_owner_whatever_its_case(cast: Cast, arrival: SavedReply) -> None:
    taken = "Front Desk already has a reply named ARRIVAL."
    assert field_error(save(cast.ben, "ARRIVAL", owner=cast.front_desk), "name") == taken
    save(cast.ana, "ÉTÉ")
    assert field_error(save(cast.ana, "été"), "name") == "You already have a reply named été."
    for agent, owner in [(cast.ana, None), (cast.ben, None), (cast.ana, cast.dispatch)]:
        assert save(agent, "arrival", owner=owner).status_code == 302
    mine = SavedReply.objects.get(agent=cast.ana, name="arrival")
    moved = change(cast.ana, mine, owner=cast.front_desk.pk)
    assert field_error(moved, "name") == "Front Desk already has a reply named arrival."
    assert change(cast.ana, mine, name="Arrival").status_code == 302


def test_the_database_keeps_a_name_from_being_taken_twice_at_once(
    cast: Cast, arrival: SavedReply, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "_check_owner", lambda *_, **__: None)
    answer = save(cast.ben, "arrival", owner=cast.front_desk)
    assert "already has a reply" in field_error(answer, "name")


def test_a_reply_needs_words_or_a_file(cast: Cast) -> None:
    assert field_error(save(cast.ana, "empty", " "), "body") == "Write the text, or attach a file."
    assert save(cast.ana, "map", "", files=pdf()).status_code == 302
    reply = SavedReply.objects.get()
    refused = change(cast.ana, reply, removed=reply.files.get().pk)
    assert field_error(refused, "body") == "Write the text, or attach a file."
    assert change(cast.ana, reply, name="plan").status_code == 302


def test_a_text_that_no_carrier_takes_is_refused(cast: Cast) -> None:
    assert "too long" in field_error(save(cast.ana, "long", "x" * 5000), "body")


def test_there_is_an_end_to_how_many(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "MAX_REPLIES", 1)
    save(cast.ana, "first")
    assert "Delete one first" in field_error(save(cast.ana, "second"), "owner")
    assert change(cast.ana, SavedReply.objects.get(), body="Changed").status_code == 302


# Two at once


def test_a_colleagues_change_is_shown_before_it_is_replaced(
    cast: Cast, arrival: SavedReply
) -> None:
    version = arrival.version
    change(cast.ben, arrival, body="Ben's words")
    answer = change(cast.ana, arrival, body="Ana's words", version=version)
    assert answer.status_code == 422
    page = read_words(answer)
    assert "A colleague changed this while you were editing" in page
    assert "Ben's words" in page
    assert "Ana's words</textarea>" in page
    shown = re.findall(r'name="version" value="(\d+)"', page)[0]
    assert change(cast.ana, arrival, body="Ana's words", version=shown).status_code == 302
    arrival.refresh_from_db()
    assert arrival.body == "Ana's words"


def test_a_reply_that_a_colleague_deletes_in_the_same_moment_stays_deleted(
    cast: Cast, arrival: SavedReply, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.conversations.views.reply_pages.get_reply", lambda *_: arrival)
    key, version = arrival.pk, arrival.version
    SavedReply.objects.filter(pk=key).delete()
    form = {"name": "arrival", "body": "Late", "owner": "me", "version": version}
    told = client_of(cast.ana).post(f"/replies/{key}/", form)
    assert "a colleague may have deleted it" in read_words(told)
    assert not SavedReply.objects.exists()


def test_what_was_written_for_a_reply_that_is_gone_can_be_saved_anew(cast: Cast) -> None:
    reply = actions.create_reply(inbox=None, agent=cast.ana, name="arrival", body="Ana's")
    path, ben = f"/replies/{reply.pk}/", client_of(cast.ben)
    form = {"name": "arrival", "body": "My <words>", "owner": "me", "version": "1"}
    foreign = ben.post(path, form)
    reply.delete()
    gone = ben.post(path, form)
    assert gone.status_code == foreign.status_code == 404
    assert read_text(gone) == read_text(foreign), "nobody can tell whether there is one"
    page = gone.content.decode()
    assert 'action="/replies/new/"' in page
    assert "My &lt;words&gt;</textarea>" in page
    assert "Save to add what you wrote as a new one." in read_text(gone)
    assert "Page not found" in read_text(ben.post(path))
    assert ben.post("/replies/new/", form).status_code == 302
    assert SavedReply.objects.get().body == "My <words>"


def test_using_a_reply_is_no_change_of_it(cast: Cast, arrival: SavedReply) -> None:
    version = arrival.version
    actions.use_reply(reply=arrival, thread=None, agent=cast.ben)
    assert change(cast.ana, arrival, body="New", version=version).status_code == 302


# Files


def test_files_are_kept_with_a_reply_and_shown_to_its_members(
    cast: Cast, arrival: SavedReply
) -> None:
    picture = SimpleUploadedFile("map.png", make_picture(size=(40, 30)))
    assert change(cast.ana, arrival, files=[picture, pdf()]).status_code == 302
    map_, terms = arrival.files.order_by("pk")
    assert (map_.name, map_.kind, map_.width) == ("map.png", "picture", 40)
    cho = client_of(cast.cho)
    page = cho.get(f"/replies/{arrival.pk}/").content.decode()
    assert f"/replies/files/{map_.pk}/thumbnail/" in page
    assert cho.get(f"/replies/files/{map_.pk}/thumbnail/")["Content-Type"] == "image/webp"
    assert cho.get(f"/replies/files/{map_.pk}/")["Content-Type"] == map_.content_type
    saved = cho.get(f"/replies/files/{terms.pk}/")
    assert saved["Content-Disposition"] == 'attachment; filename="terms.pdf"'
    assert saved["Content-Type"] == "application/octet-stream"
    assert cho.get(f"/replies/files/{terms.pk}/thumbnail/").status_code == 404


def test_a_file_that_cannot_be_attached_is_refused_and_nothing_is_saved(cast: Cast) -> None:
    empty = SimpleUploadedFile("empty.pdf", b"")
    answer = save(cast.ana, "map", files=[pdf(), empty])
    assert field_error(answer, "files") == (
        "empty.pdf is empty. Choose the files again: they weren't kept."
    )
    assert not SavedReply.objects.exists()
    many = [pdf(f"{number}.pdf") for number in range(11)]
    assert "at most 10 files" in field_error(save(cast.ana, "map", files=many), "files")


def stored_names() -> set[str]:
    return {
        f"{folder}/{name}"
        for folder in default_storage.listdir("")[0]
        for name in default_storage.listdir(folder)[1]
    }


@pytest.mark.django_db(transaction=True)
def test_files_that_no_reply_took_leave_the_store(cast: Cast) -> None:
    save(cast.ana, "map", files=pdf())
    before = stored_names()
    assert save(cast.ana, "MAP", files=pdf()).status_code == 422
    reply = SavedReply.objects.get()
    more = [pdf(f"{number}.pdf") for number in range(10)]
    assert "at most 10 files" in field_error(change(cast.ana, reply, files=more), "files")
    assert stored_names() == before
    assert reply.files.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", ["removed", "deleted", "inbox"])
def test_the_store_forgets_a_file_with_its_reply_and_drafts_keep_their_copies(
    cast: Cast, way: str
) -> None:
    inbox = Inbox.objects.create(name="Short-lived")
    picture = SimpleUploadedFile("map.png", make_picture(size=(40, 30)))
    reply = actions.create_reply(inbox=inbox, agent=cast.ana, name="map", body="Here")
    inbox.members.add(cast.ana)
    change(cast.ana, reply, files=picture)
    file = reply.files.get()
    actions.use_reply(reply=reply, thread=None, agent=cast.ana)
    assert {file.stored_name, file.thumbnail_name} < stored_names()
    if way == "removed":
        change(cast.ana, reply, removed=file.pk)
        assert SavedReply.objects.exists()
    elif way == "deleted":
        delete(cast.ana, reply)
    else:
        inbox.delete()
    assert not SavedReplyFile.objects.exists()
    copy = Attachment.objects.get()
    assert stored_names() == {copy.stored_name, copy.thumbnail_name}
    assert load_bytes(copy.stored_name)
