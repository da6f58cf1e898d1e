"""Texting from the handset goes through the same webhooks as a carrier's texts."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image
from pytest_django import Settings

from messaging.models import CarrierAccount, Message, Number
from messaging.simulator.models import FarEnd, Text
from tests.markup import read_words

FROM = "+12025550177"


def written(number: Number, /, **changes: object) -> dict[str, object]:
    return {"sender": FROM, "number": number.pk, "text": "Hi, is it there?"} | changes


def page(client: Client, query: str = "") -> str:
    response = client.get(f"/simulator/{query}")
    assert response.status_code == 200
    return response.content.decode()


def test_the_outside_world_needs_no_account(client: Client, number: Number) -> None:
    html = page(client)
    assert 'value="+12025550177"' in html
    assert "Front Desk, (202) 555-0110" in html


def test_the_page_opens_on_the_number_in_its_address(client: Client, number: Number) -> None:
    assert 'value="+13035550118"' in page(client, "?from=%2B13035550118")
    assert 'value="+13035550118"' in page(client, "?from=(303) 555-0118")
    assert 'value="PARCELBOX"' in page(client, "?from=PARCELBOX")


@pytest.mark.parametrize("odd", ["?from=", "?from=%00", "?to=x", "?from=" + "9" * 400])
def test_an_odd_address_still_shows_a_handset(client: Client, number: Number, odd: str) -> None:
    assert "Send text" in page(client, odd)


@pytest.mark.parametrize(
    ("sender", "known_as"),
    [(FROM, FROM), ("(202) 555-0177", FROM), ("72645", "72645"), ("PARCELBOX", "PARCELBOX")],
)
def test_a_text_arrives_in_the_inbox(
    client: Client, number: Number, served: str, sender: str, known_as: str
) -> None:
    response = client.post("/simulator/send/", written(number, sender=sender))
    assert response.status_code == 302
    message = Message.objects.get()
    assert (message.kind, message.body) == ("inbound", "Hi, is it there?")
    assert message.inbox_id == number.inbox_id
    assert message.thread.contact.address == known_as
    assert message.carrier_sent_at is not None
    assert "Sent at" in page(client, response["location"].removeprefix("/simulator/"))


def test_with_htmx_the_form_comes_back_empty(client: Client, number: Number, served: str) -> None:
    headers = {"HX-Request": "true"}
    response = client.post("/simulator/send/", written(number), headers=headers)
    assert response.status_code == 200
    html = response.content.decode()
    assert "Sent at" in html
    assert "is it there?" not in html
    assert "<html" not in html


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"text": ""}, "Write something first."),
        ({"text": "a\x00b"}, "Null characters are not allowed."),
        ({"text": "x" * 1601}, "at most 1600"),
        ({"number": 0}, "Select a valid choice"),
        ({"number": "x"}, "Select a valid choice"),
        ({"sender": ""}, "required"),
    ],
)
def test_a_text_that_cannot_go_keeps_what_was_written(
    client: Client, number: Number, served: str, changes: dict[str, object], words: str
) -> None:
    response = client.post("/simulator/send/", written(number, **changes))
    assert response.status_code == 422
    html = response.content.decode()
    assert words in html
    if "text" not in changes:
        assert "Hi, is it there?" in html
    assert not Message.objects.exists()


def test_a_refused_webhook_is_said_so(
    client: Client, number: Number, account: CarrierAccount, served: str
) -> None:
    CarrierAccount.objects.filter(pk=account.pk).update(is_active=False)
    response = client.post("/simulator/send/", written(number))
    assert response.status_code == 422
    assert "Partyline rejected the text (status 404)" in response.content.decode()


def test_a_partyline_that_is_away_is_said_so(
    client: Client, number: Number, settings: Settings
) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:9"
    response = client.post("/simulator/send/", written(number))
    assert response.status_code == 422
    assert "didn't answer" in read_words(response)


def test_the_handset_shows_what_came_to_its_number_alone(client: Client, number: Number) -> None:
    Text.objects.create(sender=number.address, recipient=FROM, body="for <b>you</b>")
    Text.objects.create(sender=number.address, recipient="+12025550178", body="for another")
    html = page(client)
    assert "for &lt;b&gt;you&lt;/b&gt;" in html
    assert "for another" not in html


def test_the_handset_keeps_what_it_sent_apart_from_what_it_received(
    client: Client, number: Number, served: str
) -> None:
    Text.objects.create(sender=number.address, recipient=FROM, body="Shall we?")
    picture = BytesIO()
    Image.new("RGB", (4, 4)).save(picture, "PNG")
    upload = SimpleUploadedFile("one.png", picture.getvalue(), "image/png")
    client.post("/simulator/send/", written(number, text="Yes, <now>", pictures=upload))
    html = page(client)
    received = html[html.index('id="received"') : html.index('id="sent"')]
    sent = html[html.index('id="sent"') : html.index("</section>")]
    assert "Shall we?" in received
    assert "Yes, &lt;now&gt;" in sent
    assert "Yes, " not in received
    assert 'alt="Picture"' in sent
    assert re.findall(r'data-place="(\d)"', html) == ["1", "2"]


def test_a_text_that_was_refused_is_not_shown_as_sent(
    client: Client, number: Number, account: CarrierAccount, served: str
) -> None:
    CarrierAccount.objects.filter(pk=account.pk).update(is_active=False)
    client.post("/simulator/send/", written(number, text="Into the void"))
    assert "Into the void" not in page(client)


def test_the_log_is_only_sent_when_it_changed(client: Client, number: Number) -> None:
    first = client.get("/simulator/received/", {"sender": FROM})
    shown = re.search(r'name="shown" id="shown" value="([^"]*)"', first.content.decode())
    assert shown is not None
    query = {"sender": FROM, "shown": shown[1]}
    assert client.get("/simulator/received/", query).status_code == 204
    Text.objects.create(sender=number.address, recipient=FROM, body="news")
    again = client.get("/simulator/received/", query)
    assert again.status_code == 200
    assert "news" in again.content.decode()


def test_the_log_is_drawn_with_the_same_number_of_queries(
    client: Client, number: Number, django_assert_num_queries: object
) -> None:
    for count in range(60):
        Text.objects.create(sender=number.address, recipient=FROM, body=f"text {count}")
    assert callable(django_assert_num_queries)
    with django_assert_num_queries(2):  # the texts, and their pictures
        html = client.get("/simulator/received/", {"sender": FROM}).content.decode()
    assert html.index("text 58") < html.index("text 59")
    assert "text 9<" not in html


def test_the_far_end_remembers_what_it_was_told(client: Client, number: Number) -> None:
    told = {"answer": "throttle", "receipts": "late"}
    assert client.post("/simulator/far-end/", told).status_code == 302
    far_end = FarEnd.objects.get()
    assert (far_end.answer, far_end.receipts) == ("throttle", "late")
    client.post("/simulator/far-end/", {"answer": "explode", "receipts": "late"})
    assert FarEnd.objects.get().answer == "throttle"


@pytest.mark.parametrize("path", ["/simulator/send/", "/simulator/far-end/"])
def test_deeds_are_posted_from_our_own_pages(number: Number, path: str) -> None:
    careful = Client(enforce_csrf_checks=True)
    answer = careful.get(path)
    assert (answer.status_code, answer["Location"]) == (302, "/simulator/")
    assert careful.post(path, written(number)).status_code == 403
    assert not Message.objects.exists()


@pytest.mark.parametrize("path", ["/simulator/", "/simulator/received/"])
def test_pages_are_only_read(client: Client, number: Number, path: str) -> None:
    assert client.post(path).status_code == 405
