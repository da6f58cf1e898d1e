"""Inbound attachments: the text appears at once, its pictures when a worker has fetched them."""

from __future__ import annotations

import hashlib
import html
import logging
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from messaging.attachments import inbound
from messaging.attachments.storing import store_file
from messaging.carriers import events, results
from messaging.carriers.twilio import Twilio
from messaging.inbound.receiving import store_text
from messaging.live.reading import read_changes
from messaging.models import Attachment, CarrierAccount, Message, Notification
from messaging.notifications.words import popup_content
from tests.cast import CUSTOMER, FRONT_DESK, Cast, client_of
from tests.messaging.attachments.file_bytes import FILES
from tests.messaging.attachments.media_host import MediaHost, media_host, ok_response
from tests.messaging.attachments.picture_bytes import HTML, make_double_photo, make_picture
from tests.messaging.carrier_calls import post_webhook, text_fields
from tests.messaging.stepped_worker import due_jobs, end_waits, run_jobs
from threads.models import Thread

NAME = "media.carrier.test"


def allow_all(_: str) -> bool:
    return True


def receive_with_media(
    cast: Cast, *media: events.InboundMedia, body: str = "", sid: str = "1"
) -> Message:
    text = events.InboundText(sid, CUSTOMER, FRONT_DESK, body, media=media)
    return store_text(text, account=cast.account)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[MediaHost]:
    """Play the host of Twilio's media."""
    with media_host("127.0.0.1") as listening:
        network = listening.network(["127.0.0.1"], allow_all)
        monkeypatch.setattr(inbound, "media_network", lambda _: network)
        monkeypatch.setattr(
            Twilio,
            "media_request",
            lambda _, url, credentials: results.MediaRequest(
                url, (NAME,), {"Authorization": credentials["auth_token"]}
            ),
        )
        yield listening


def media_fields(host: MediaHost, *paths: str, body: str = "", **types: str) -> dict[str, str]:
    fields = text_fields(body, sid=f"MM{len(host.answers)}{paths}") | {"NumMedia": str(len(paths))}
    for number, path in enumerate(paths):
        fields[f"MediaUrl{number}"] = f"https://{NAME}:{host.port}{path}"
        fields[f"MediaContentType{number}"] = types.get(path.strip("/"), "image/jpeg")
    return fields


def page_of(cast: Cast, message: Message) -> str:
    page = client_of(cast.ana).get(f"/threads/{message.thread_id}/").content.decode()
    return html.unescape(page)


@pytest.mark.django_db(transaction=True)
def test_the_text_appears_at_once_and_its_picture_when_fetched(
    cast: Cast, host: MediaHost
) -> None:
    data = make_picture(size=(1200, 800))
    host.answers["/1"] = ok_response(data, Content_Type="text/html")
    assert post_webhook(cast.account, media_fields(host, "/1", body="Look")).status_code == 200
    message = Message.objects.get()
    assert host.connections == 0
    assert "Downloading picture" in page_of(cast, message)
    seq = message.seq
    run_jobs()
    message.refresh_from_db()
    attachment = Attachment.objects.get()
    assert (attachment.state, attachment.content_type) == ("ready", "image/jpeg")
    assert (attachment.width, attachment.height) == (1200, 800)
    assert attachment.sha256 == hashlib.sha256(data).hexdigest()
    assert host.requests[0][1]["authorization"]
    page = page_of(cast, message)
    assert "on its way" not in page
    # Its size stands in the page, so that nothing jumps when it comes.
    assert f'src="/attachments/{attachment.pk}/thumbnail/" width="320" height="213"' in page
    assert message.seq > seq
    changes = read_changes(
        cast.front_desk.pk,
        rows_since=seq,
        messages_since=seq,
        open_threads=[message.thread_id],
        agent_ids=[cast.ana.pk],
    )
    assert [one.pk for one in changes.messages] == [message.pk]


@pytest.mark.django_db(transaction=True)
def test_what_only_looks_like_a_picture_is_a_file_to_save(cast: Cast, host: MediaHost) -> None:
    host.answers["/1"] = ok_response(b"\xff\xd8\xff\xe0" + HTML)
    post_webhook(cast.account, media_fields(host, "/1"))
    thread = Thread.objects.get()
    assert thread.last_excerpt == "Picture"
    run_jobs()
    attachment = Attachment.objects.get()
    assert (attachment.kind, attachment.state) == ("file", "ready")
    answer = client_of(cast.ana).get(f"/attachments/{attachment.pk}/")
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")
    # The lists call it what it turned out to be.
    thread.refresh_from_db()
    cast.front_desk.refresh_from_db()
    assert (thread.last_excerpt, cast.front_desk.last_excerpt) == ("File", "File")
    assert client_of(cast.ana).get(f"/attachments/{attachment.pk}/thumbnail/").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_what_a_phone_sends_is_saved_under_a_name_that_opens(cast: Cast, host: MediaHost) -> None:
    endings = []
    for number, (ending, _, data) in enumerate(FILES.values()):
        host.answers[f"/{number}"] = ok_response(data, Content_Type="text/html")
        post_webhook(cast.account, media_fields(host, f"/{number}"))
        endings.append(ending)
    run_jobs()
    found = list(Attachment.objects.order_by("pk"))
    assert {one.state for one in found} == {"ready"}
    for ending, attachment in zip(endings, found, strict=True):
        answer = client_of(cast.ana).get(f"/attachments/{attachment.pk}/")
        name = f'attachment; filename="file-{attachment.pk}.{ending}"'
        assert answer["Content-Disposition"] == name
        assert answer["Content-Type"] == "application/octet-stream"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    # So is what came before its type was known.
    Attachment.objects.filter(pk=found[0].pk).update(content_type="application/octet-stream")
    answer = client_of(cast.ana).get(f"/attachments/{found[0].pk}/")
    assert f"file-{found[0].pk}.{endings[0]}" in answer["Content-Disposition"]
    Attachment.objects.filter(pk=found[0].pk).update(content_type=found[0].content_type)
    page = page_of(cast, Message.objects.latest("pk"))
    for _, word, _ in FILES.values():
        assert re.search(rf'class="file-name"[^>]*>{word}</span>', page)


@pytest.mark.django_db(transaction=True)
def test_a_phones_double_photo_stays_a_jpeg_of_its_size(cast: Cast, host: MediaHost) -> None:
    photo = make_double_photo()
    host.answers["/1"] = ok_response(photo)
    post_webhook(cast.account, media_fields(host, "/1"))
    run_jobs()
    attachment = Attachment.objects.get()
    assert (attachment.kind, attachment.content_type) == ("picture", "image/jpeg")
    assert attachment.size < 2 * len(photo)


@pytest.mark.django_db(transaction=True)
def test_the_layout_of_a_picture_text_is_no_attachment(cast: Cast, host: MediaHost) -> None:
    layout = b'<?xml version="1.0"?><smil><head><layout/></head><body/></smil>'
    host.answers |= {"/1": ok_response(layout), "/2": ok_response(make_picture())}
    post_webhook(cast.account, media_fields(host, "/1", "/2"))
    run_jobs()
    assert Attachment.objects.get().is_picture
    message = Message.objects.get()
    assert (message.picture_count, message.file_count) == (1, 0)
    assert Thread.objects.get().last_excerpt == "Picture"


@pytest.mark.parametrize(
    ("types", "summary"),
    [
        (["image/jpeg"], "Picture"),
        (["image/png", ""], "2 pictures"),
        (["application/pdf"], "File"),
        (["text/vcard", "video/mp4"], "2 files"),
        (["image/gif", "image/gif", "text/vcard"], "2 pictures and file"),
    ],
)
def test_lists_and_notifications_name_attachments_without_words(
    cast: Cast, types: list[str], summary: str
) -> None:
    media = tuple(events.InboundMedia("https://x.test/1", one) for one in types)
    message = store_text(
        events.InboundText("1", CUSTOMER, FRONT_DESK, " ", media=media), account=cast.account
    )
    for row in (message.thread, cast.front_desk):
        row.refresh_from_db()
        assert row.last_excerpt == summary
    notification = Notification.objects.with_words().filter(agent=cast.ana).get()
    assert popup_content(notification)["body"] == summary
    page = client_of(cast.ana).get(f"/inboxes/{cast.front_desk.pk}/").content.decode()
    assert re.search(rf">\s*{summary}\s*<", page)
    assert receive_with_media(cast, *media, body="Some words", sid="2").summary == "Some words"


@pytest.mark.django_db(transaction=True)
def test_a_failure_is_shown_in_the_bubble_and_can_be_tried_again(
    cast: Cast, host: MediaHost
) -> None:
    host.answers["/1"] = b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"
    post_webhook(cast.account, media_fields(host, "/1", body="Look"))
    run_jobs()
    message, attachment = Message.objects.get(), Attachment.objects.get()
    assert attachment.state == "failed"
    page = page_of(cast, message)
    assert "The carrier refused to give us this file" in page
    assert "Try again" in page
    assert "Look" in page
    host.answers["/1"] = ok_response(make_picture())
    answer = client_of(cast.ben).post(
        f"/attachments/{attachment.pk}/fetch/", headers={"HX-Request": "true"}
    )
    assert "Downloading picture" in answer.content.decode()
    run_jobs()
    attachment.refresh_from_db()
    assert attachment.state == "ready"
    # Once more changes nothing.
    client_of(cast.ben).post(f"/attachments/{attachment.pk}/fetch/")
    attachment.refresh_from_db()
    assert attachment.state == "ready"
    assert due_jobs() == []


@pytest.mark.django_db(transaction=True)
def test_a_passing_failure_is_retried_and_given_up_in_the_end(cast: Cast, host: MediaHost) -> None:
    post_webhook(cast.account, media_fields(host, "/1"))
    attachment = Attachment.objects.get()
    for tries in range(1, 4):
        run_jobs()
        attachment.refresh_from_db()
        assert (attachment.state, attachment.tries) == ("waiting", tries)
        [job] = ProcrastinateJob.objects.all()
        assert (job.task_name, job.lock) == ("wake_fetch", None)
        end_waits()
    run_jobs()
    attachment.refresh_from_db()
    assert attachment.state == "failed"
    assert attachment.reason == "The carrier no longer has this file."
    assert len(host.requests) == 4


@pytest.mark.django_db(transaction=True)
def test_a_slow_file_holds_up_neither_the_others_nor_the_senders(
    cast: Cast, host: MediaHost
) -> None:
    host.answers |= {f"/{n}": ok_response(make_picture(size=(50 + n, 50))) for n in range(5)}
    post_webhook(cast.account, media_fields(host, *[f"/{n}" for n in range(5)]))
    locks = set(ProcrastinateJob.objects.values_list("lock", flat=True))
    assert len(locks) == 2
    assert set(ProcrastinateJob.objects.values_list("priority", flat=True)) == {-101}
    run_jobs(concurrency=4)
    found = Attachment.objects.order_by("pk")
    assert [one.width for one in found] == [50, 51, 52, 53, 54]


def test_a_text_brings_a_limited_number_of_files(cast: Cast) -> None:
    media = tuple(events.InboundMedia(f"https://x.test/{n}") for n in range(50))
    message = store_text(
        events.InboundText("1", CUSTOMER, FRONT_DESK, "", media=media), account=cast.account
    )
    assert Attachment.objects.filter(state="waiting").count() == 20
    [rest] = Attachment.objects.filter(state="failed")
    assert not rest.can_be_fetched_again
    assert "This text came with more files" in page_of(cast, message)
    assert ProcrastinateJob.objects.count() == 20


def test_the_same_webhook_twice_is_fetched_once(cast: Cast) -> None:
    fields = text_fields("Look") | {"NumMedia": "1", "MediaUrl0": "https://api.twilio.com/1"}
    for _ in range(2):
        assert post_webhook(cast.account, fields).status_code == 200
    assert Attachment.objects.count() == 1


def test_a_text_without_pictures_makes_no_more_queries(cast: Cast) -> None:
    cast.thread()
    counts = []
    for media in ((), (events.InboundMedia("https://x.test/1"),)):
        with CaptureQueriesContext(connection) as queries:
            receive_with_media(cast, *media, body="Hello", sid=f"S{len(media)}")
        counts.append([q["sql"] for q in queries])
    assert not [sql for sql in counts[0] if "attachment" in sql.lower()]
    assert len(counts[1]) > len(counts[0])


def test_a_page_of_pictures_reads_them_in_one_query(cast: Cast) -> None:
    counts = []
    thread = cast.thread()
    for number in (1, 12):
        for n in range(number):
            sid = f"S{number}-{n}"
            receive_with_media(cast, events.InboundMedia(f"https://x.test/{sid}"), sid=sid)
        client = client_of(cast.ana)
        client.get(f"/threads/{thread.pk}/")
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/threads/{thread.pk}/", headers={"HX-Request": "true"})
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.django_db(transaction=True)
def test_a_fetch_that_another_worker_ended_leaves_no_second_file(
    cast: Cast, host: MediaHost
) -> None:
    host.answers["/1"] = ok_response(make_picture())
    post_webhook(cast.account, media_fields(host, "/1"))
    attachment = Attachment.objects.get()
    inbound.fetch_attachment(attachment.pk)
    stale = Attachment.objects.select_related("message").get()
    stored = store_file(make_picture())
    assert not inbound._record_arrival(stale, stored)
    attachment.refresh_from_db()
    assert attachment.stored_name != stored.stored_name
    assert len(stored_names()) == 4  # until the slower one discards what it had stored
    stored.delete()
    assert set(stored_names()) == {attachment.stored_name, attachment.thumbnail_name}


def stored_names() -> list[str]:
    folders, _ = default_storage.listdir("")
    return [f"{one}/{name}" for one in folders for name in default_storage.listdir(one)[1]]


def test_a_forgotten_fetch_is_queued_again(cast: Cast) -> None:
    receive_with_media(cast, *[events.InboundMedia(f"https://x.test/{n}") for n in range(2)])
    Attachment.objects.update(created_at=timezone.now() - timedelta(hours=1))
    first = ProcrastinateJob.objects.order_by("pk").first()
    assert first is not None
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs WHERE id = %s", [first.pk])
    inbound.requeue_forgotten_fetches()
    inbound.requeue_forgotten_fetches()
    jobs = ProcrastinateJob.objects.values_list("args", flat=True)
    wanted = Attachment.objects.values_list("pk", flat=True)
    assert sorted(job["attachment_id"] for job in jobs) == sorted(wanted)


@pytest.mark.django_db(transaction=True)
def test_a_switched_off_account_fetches_nothing(cast: Cast, host: MediaHost) -> None:
    post_webhook(cast.account, media_fields(host, "/1"))
    CarrierAccount.objects.update(is_active=False)
    run_jobs()
    assert Attachment.objects.get().reason.startswith("The carrier account is turned off.")
    assert host.connections == 0


@pytest.mark.django_db(transaction=True)
def test_addresses_and_names_stay_out_of_the_log(
    cast: Cast, host: MediaHost, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    post_webhook(cast.account, media_fields(host, "/canary"))
    for _ in range(5):
        run_jobs()
        end_waits()
    assert Attachment.objects.get().state == "failed"
    assert "could not be fetched" in caplog.text
    ours = [r.getMessage() for r in caplog.records if r.name.startswith(("messaging", "httpcore"))]
    assert "canary" not in "".join(
        line for line in ours if "messaging" in line or "Attachment" in line
    )
    args = ProcrastinateJob.objects.values_list("args", flat=True)
    assert all(set(one) == {"attachment_id"} for one in args)
