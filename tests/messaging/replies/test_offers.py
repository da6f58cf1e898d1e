"""Saved replies in a composer: what is offered there, and what comes with one that is used."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from inboxes.actions import remove_member
from inboxes.models import Agent
from messaging.attachments.drafts import check_upload, store_upload
from messaging.attachments.storing import load_bytes
from messaging.models import Attachment, SavedReply, SavedReplyFile
from messaging.replies.offers import MOST
from tests.cast import CUSTOMER, Cast, client_of
from tests.messaging.attachments.picture_bytes import make_picture
from threads.models import Contact, Thread


def offered(agent: Agent, thread: Thread) -> list[dict[str, Any]]:
    answer = client_of(agent).get(f"/threads/{thread.pk}/saved-replies/")
    replies: list[dict[str, Any]] = answer.json()["replies"]
    return replies


def use(agent: Agent, reply: SavedReply, thread: Thread | None) -> Any:
    form = {"thread": thread.pk} if thread else {}
    return client_of(agent).post(f"/saved-replies/{reply.pk}/used/", form)


def attach(reply: SavedReply, name: str, data: bytes) -> SavedReplyFile:
    upload = SimpleUploadedFile(name, data)
    return SavedReplyFile.objects.create(
        reply=reply, name=check_upload(upload), **store_upload(upload).columns
    )


@pytest.fixture
def arrival(cast: Cast) -> SavedReply:
    return SavedReply.objects.create(
        inbox=cast.front_desk,
        name="arrival",
        body="Hi {first name}, {me} of {inbox} here. Call {number}, {contact}.",
    )


def test_a_reply_is_filled_for_the_conversation(cast: Cast, arrival: SavedReply) -> None:
    thread = cast.thread()
    Contact.objects.filter(pk=thread.contact_id).update(name="Marta Lindqvist")
    assert offered(cast.ben, thread) == [
        {
            "id": arrival.pk,
            "name": "arrival",
            "body": "Hi Marta, Ben Okafor of Front Desk here. Call (202) 555-0110, "
            "Marta Lindqvist.",
            "written": arrival.body,
            "values": {
                "contact": "Marta Lindqvist",
                "first name": "Marta",
                "me": "Ben Okafor",
                "inbox": "Front Desk",
                "number": "(202) 555-0110",
            },
            "owner": "Front Desk",
            "unfilled": [],
            "files": 0,
            "used": f"/saved-replies/{arrival.pk}/used/",
        }
    ]


def test_what_is_not_known_stays_and_is_named(cast: Cast, arrival: SavedReply) -> None:
    (reply,) = offered(cast.ana, cast.thread())
    assert reply["body"].startswith("Hi {first name}, Ana Ruiz of Front Desk")
    assert reply["unfilled"] == ["{first name}", "{contact}"]


@pytest.mark.parametrize(
    ("name", "company"), [("Mrs. Lindqvist", ""), ("Harbor Dental", "Harbor Dental")]
)
def test_nobody_is_addressed_by_a_title_or_as_a_company(
    cast: Cast, arrival: SavedReply, name: str, company: str
) -> None:
    thread = cast.thread()
    Contact.objects.filter(pk=thread.contact_id).update(name=name, company=company)
    (reply,) = offered(cast.ana, thread)
    assert reply["body"].startswith("Hi {first name}, Ana Ruiz")
    assert reply["body"].endswith(f"{name}.")
    assert reply["unfilled"] == ["{first name}"]


def test_ones_own_are_offered_everywhere_and_an_inboxs_in_it_alone(
    cast: Cast, arrival: SavedReply
) -> None:
    SavedReply.objects.create(agent=cast.ana, name="mine", body="Mine")
    SavedReply.objects.create(agent=cast.ben, name="bens", body="Ben's")
    SavedReply.objects.create(inbox=cast.dispatch, name="truck", body="Truck")
    names = {(reply["name"], reply["owner"]) for reply in offered(cast.ana, cast.thread())}
    assert names == {("arrival", "Front Desk"), ("mine", "Only me")}


def test_of_very_many_the_page_gets_the_most_used_and_searches_the_others_here(
    cast: Cast, arrival: SavedReply
) -> None:
    thread = cast.thread()
    SavedReply.objects.bulk_create(
        SavedReply(inbox=cast.front_desk, name=f"n{n}", body="Same", use_count=1)
        for n in range(MOST)
    )
    ana, path = client_of(cast.ana), f"/threads/{thread.pk}/saved-replies/"
    answer = ana.get(path).json()
    assert (len(answer["replies"]), answer["has_more"]) == (MOST, True)
    assert answer["values"]["me"] == "Ana Ruiz"
    found = ana.get(path, {"q": "arr call"}).json()
    assert [reply["name"] for reply in found["replies"]] == ["arrival"]
    assert not found["has_more"]


def test_a_scheduled_text_takes_the_words_only(cast: Cast, arrival: SavedReply) -> None:
    attach(arrival, "terms.pdf", b"%PDF-1.7 terms")
    form = {"words_only": "true"}
    answer = client_of(cast.ana).post(f"/saved-replies/{arrival.pk}/used/", form)
    assert answer.status_code == 200
    assert not Attachment.objects.exists()
    arrival.refresh_from_db()
    assert arrival.use_count == 1


def test_what_is_used_most_comes_first(cast: Cast, arrival: SavedReply) -> None:
    thread = cast.thread()
    other = SavedReply.objects.create(inbox=cast.front_desk, name="zebra", body="Zebra")
    assert [reply["name"] for reply in offered(cast.ana, thread)] == ["arrival", "zebra"]
    assert use(cast.ben, other, thread).status_code == 200
    assert [reply["name"] for reply in offered(cast.ana, thread)] == ["zebra", "arrival"]


def test_a_first_text_gets_the_name_of_a_contact_that_the_inbox_knows(
    cast: Cast, arrival: SavedReply
) -> None:
    thread = cast.thread()
    Contact.objects.filter(pk=thread.contact_id).update(name="Marta Lindqvist")
    ana, path = client_of(cast.ana), f"/inboxes/{cast.front_desk.pk}/saved-replies/"
    for typed in (CUSTOMER, "(202) 555-0177"):
        (reply,) = ana.get(path, {"to": typed}).json()["replies"]
        assert reply["body"].startswith("Hi Marta, Ana Ruiz")
    for typed in ("", "+12025550166", "Marta"):
        (reply,) = ana.get(path, {"to": typed}).json()["replies"]
        assert reply["unfilled"] == ["{first name}", "{contact}"]


def test_whoever_leaves_the_inbox_loses_its_replies_at_once(
    cast: Cast, arrival: SavedReply
) -> None:
    thread = cast.thread()
    SavedReply.objects.create(agent=cast.cho, name="mine", body="Mine")
    cho = client_of(cast.cho)
    path = f"/inboxes/{cast.front_desk.pk}/saved-replies/"
    assert len(cho.get(path).json()["replies"]) == 2
    remove_member(inbox=cast.front_desk, agent=cast.cho, changed_by=cast.admin)
    assert cho.get(path).status_code == 404
    assert cho.get(f"/threads/{thread.pk}/saved-replies/").status_code == 404
    assert use(cast.cho, arrival, None).status_code == 404
    assert use(cast.cho, arrival, thread).status_code == 404
    arrival.refresh_from_db()
    assert arrival.use_count == 0


def test_a_reply_of_another_inbox_is_none_here(cast: Cast, arrival: SavedReply) -> None:
    truck = SavedReply.objects.create(inbox=cast.dispatch, name="truck", body="Truck")
    assert use(cast.ana, truck, cast.thread()).status_code == 404
    assert use(cast.ana, truck, None).status_code == 200


def test_its_files_come_along_as_copies_of_the_agents_own(cast: Cast, arrival: SavedReply) -> None:
    thread = cast.thread()
    picture = attach(arrival, "map.png", make_picture(size=(40, 30)))
    attach(arrival, "terms.pdf", b"%PDF-1.7 terms")
    answer = use(cast.ana, arrival, thread)
    rows = answer.content.decode()
    assert rows.index("map.png") < rows.index("terms.pdf")
    copy, terms = Attachment.objects.drafted(thread, cast.ana)
    assert f'data-file="{copy.pk}"' in rows
    assert (copy.name, copy.kind, copy.width, copy.height) == ("map.png", "picture", 40, 30)
    assert copy.stored_name != picture.stored_name
    assert load_bytes(copy.stored_name) == load_bytes(picture.stored_name)
    assert copy.thumbnail_name != picture.thumbnail_name
    assert load_bytes(terms.stored_name) == b"%PDF-1.7 terms"
    assert not Attachment.objects.drafted(thread, cast.ben).exists()


def test_a_first_text_gets_its_files_too(cast: Cast, arrival: SavedReply) -> None:
    attach(arrival, "terms.pdf", b"%PDF-1.7 terms")
    rows = use(cast.ana, arrival, None).content.decode()
    (copy,) = Attachment.objects.drafted(None, cast.ana)
    assert f'value="{copy.pk}"' in rows


def test_files_that_find_no_room_are_all_left_out_with_a_sentence(
    cast: Cast, arrival: SavedReply
) -> None:
    thread = cast.thread()
    for number in range(6):
        attach(arrival, f"{number}.pdf", b"%PDF-1.7 terms")
    assert use(cast.ana, arrival, thread).status_code == 200
    answer = use(cast.ana, arrival, thread)
    assert answer.status_code == 422
    assert answer.content.decode() == "You can attach at most 10 files."
    assert Attachment.objects.drafted(thread, cast.ana).count() == 6
    arrival.refresh_from_db()
    assert arrival.use_count == 1


def test_a_file_that_is_gone_from_the_store_is_told(cast: Cast, arrival: SavedReply) -> None:
    thread = cast.thread()
    attach(arrival, "terms.pdf", b"%PDF-1.7 terms")
    lost = attach(arrival, "lost.pdf", b"%PDF-1.7 lost")
    lost.stored_name = "ab/lost"
    lost.save()
    answer = use(cast.ana, arrival, thread)
    assert answer.status_code == 422
    assert "gone" in answer.content.decode()
    assert not Attachment.objects.exists()
