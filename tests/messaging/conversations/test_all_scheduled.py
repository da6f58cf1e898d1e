"""List the scheduled texts of all an agent's inboxes, and act on them there."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest

from inboxes.models import Agent
from messaging.conversations import scheduled_list
from messaging.models import Message, ScheduledText
from messaging.outbound.opt_outs import record_opt_out
from messaging.outbound.scheduling import delete_scheduled_text, send_if_due
from messaging.outbound.undo_send import write_or_hold
from tests.cast import ANAS_LINE, CUSTOMER, DISPATCH, FRONT_DESK, Cast, client_of
from tests.markup import read_words
from tests.messaging.scheduled_texts import HOUR, make_due, schedule_in

HTMX = {"HX-Request": "true"}
FROM_LIST = {"from_list": "1"}


def listed(agent: Agent, address: str = "/later/") -> list[int]:
    page = client_of(agent).get(address)
    assert page.status_code == 200
    return [int(key) for key in re.findall(r'id="listed-(\d+)"', page.content.decode())]


def state_of(answer: Any) -> str:
    """Return what a row says of its text's state."""
    found = re.search(r'<span class="listed-when">(.*?)</span>', answer.content.decode(), re.S)
    assert found is not None
    return re.sub(r"<svg.*?</svg>", "", found[1], flags=re.S).strip()


def test_held_ones_come_first_then_the_next_of_all_inboxes(cast: Cast) -> None:
    desk, dispatch = cast.thread(), cast.thread(to=DISPATCH)
    mine = cast.thread(to=ANAS_LINE)
    late = schedule_in(cast, desk, body="Late")
    late.send_at += HOUR
    late.save()
    soon = schedule_in(cast, dispatch, body="Soon", author=cast.ben)
    own = schedule_in(cast, mine, body="Mine")
    ScheduledText.objects.filter(pk=own.pk).update(send_at=soon.send_at + timedelta(minutes=1))
    held = make_due(schedule_in(cast, desk, body="Held"))
    cast.text_in("Wait")
    send_if_due(text=held)
    delete_scheduled_text(text=schedule_in(cast, desk, body="Gone"))
    cast.ana.undo_seconds = 5
    write_or_hold(thread=dispatch, author=cast.ana, body="Leaving", form_key=uuid.uuid4())
    assert listed(cast.ana) == [held.pk, soon.pk, own.pk, late.pk]
    assert listed(cast.ben) == [held.pk, soon.pk, late.pk]
    assert listed(cast.cho) == [held.pk, late.pk]
    assert listed(cast.dov) == []
    assert listed(cast.admin) == []
    assert listed(cast.ana, f"/later/?inbox={cast.dispatch.pk}") == [soon.pk]
    page = read_words(client_of(cast.cho).get("/later/"))
    assert "They replied first." in page
    assert "by <bdi>Ana Ruiz</bdi>" in page
    assert client_of(cast.cho).get(f"/later/?inbox={cast.dispatch.pk}").status_code == 404


@pytest.mark.parametrize("size", [1, 2])
def test_pages_follow_each_other_without_a_gap(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(scheduled_list, "PAGE_SIZE", size)
    thread = cast.thread()
    texts = [schedule_in(cast, thread, body=f"Text {number}") for number in range(5)]
    ScheduledText.objects.update(send_at=texts[0].send_at)
    for text in texts[3:]:
        make_due(text)
    cast.text_in("Wait")
    for text in texts[3:]:
        send_if_due(text=text)
    found, address = [], "/later/"
    while address:
        page = client_of(cast.ana).get(address).content.decode()
        found += [int(key) for key in re.findall(r'id="listed-(\d+)"', page)]
        more = re.search(r'<li class="more">\s*<a\s+href="([^"]+)"', page)
        address = more[1].replace("&amp;", "&") if more else ""
    assert found == [text.pk for text in [*texts[3:], *texts[:3]]]


def test_a_row_shows_what_became_of_its_text(cast: Cast) -> None:
    thread, client = cast.thread(), client_of(cast.ben)
    sent, deleted = schedule_in(cast, thread, body="Go"), schedule_in(cast, thread, body="Stay")
    answer = client.post(f"/later/{sent.pk}/send/", FROM_LIST, headers=HTMX)
    assert f'id="listed-{sent.pk}"' in answer.content.decode()
    assert state_of(answer) == "Sent"
    assert "Go" in answer.content.decode()
    answer = client.post(f"/later/{deleted.pk}/delete/", FROM_LIST, headers=HTMX)
    assert state_of(answer) == "Deleted"
    again = client.post(f"/later/{deleted.pk}/send/", FROM_LIST, headers=HTMX)
    assert state_of(again) == "Deleted", "an outdated page is told"
    assert Message.objects.filter(kind="outbound").count() == 1
    assert listed(cast.ben) == []


def test_without_scripts_each_deed_leads_back_to_the_page(cast: Cast) -> None:
    thread, client = cast.thread(), client_of(cast.ana)
    sent, deleted, changed, refused = (
        schedule_in(cast, thread, body=body) for body in ("A", "B", "C", "D")
    )
    for path in (f"{sent.pk}/send", f"{deleted.pk}/delete"):
        assert client.post(f"/later/{path}/", FROM_LIST)["Location"] == "/later/"
    fields = {"body": "C2", "known": changed.seq, "at": "2027-01-04T09:00", "zone": "UTC"}
    assert 'name="from_list"' in client.get(f"/later/{changed.pk}/?from_list=1").content.decode()
    answer = client.post(f"/later/{changed.pk}/", fields | FROM_LIST)
    assert answer["Location"] == "/later/"
    record_opt_out(our_address=FRONT_DESK, address=CUSTOMER)
    answer = client.post(f"/later/{refused.pk}/send/", FROM_LIST, follow=True)
    assert "opted out of texts" in answer.content.decode()
    assert listed(cast.ana) == [refused.pk, changed.pk]


def test_the_view_scheduled_leads_to_the_page(cast: Cast) -> None:
    schedule_in(cast, cast.thread())
    client = client_of(cast.ana)
    inbox = f"/inboxes/{cast.front_desk.pk}/"
    assert (
        f"/later/?inbox={cast.front_desk.pk}"
        in client.get(f"{inbox}?only=scheduled").content.decode()
    )
    assert "/later/?inbox=" not in client.get(f"{inbox}?only=all").content.decode()
    assert "/later/" in client.get("/account/").content.decode()
