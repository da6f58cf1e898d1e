"""A text to a group shows that it is one and to whom it went, once at each number of ours."""

from __future__ import annotations

import json
from copy import deepcopy
from html import unescape
from typing import Any

import pytest

from messaging.live.reading import read_changes
from messaging.models import Message, Number, Webhook
from messaging.stream.refusals import find_refusal
from tests.cast import CUSTOMER, DISPATCH, FRONT_DESK, Cast, client_of
from tests.messaging.carrier_calls import post_webhook, text_fields
from tests.messaging.carriers.fixtures import FIXTURES
from tests.messaging.carriers.fixtures.base import CONTENT_TYPES, PAYLOADS
from tests.messaging.carriers.webhook_requests import (
    move_front_desk,
    payload,
    post_body,
    post_signed,
)
from threads.models import Thread

OTHERS = ["+12025550178", "+12025550179"]
GROUPS = {
    "twilio": ("(202) 555-0178 and (202) 555-0179", ".form"),
    "signalwire": ("(202) 555-0178 and (202) 555-0179", ".form"),
    "telnyx": ("(202) 555-0178", ".json"),
    "bandwidth": ("(202) 555-0178", ".json"),
}
NOTE = "This was a group text. Your reply goes to (202) 555-0177 only."


def page_of(cast: Cast, path: str) -> str:
    return unescape(client_of(cast.ana).get(path).content.decode())


def group_fields(*others: str, sid: str = "MM-1", to: str = FRONT_DESK) -> dict[str, str]:
    fields = text_fields("Hello everybody", sid=sid, to=to)
    return fields | {f"OtherRecipients{index}": other for index, other in enumerate(others)}


@pytest.mark.parametrize("carrier", GROUPS)
def test_a_group_text_shows_to_whom_it_went_and_the_composer_whom_an_answer_reaches(
    cast: Cast, carrier: str
) -> None:
    names, suffix = GROUPS[carrier]
    account = move_front_desk(cast, FIXTURES[carrier]).account
    body = (PAYLOADS / carrier / f"inbound_group{suffix}").read_bytes()
    for _ in range(2):
        answer = post_body(account, FIXTURES[carrier], body, CONTENT_TYPES[suffix])
        assert answer.status_code == 200
    message = Message.objects.get()
    assert message.other_recipients == OTHERS[: len(message.other_recipients)] != []
    page = page_of(cast, f"/threads/{message.thread_id}/")
    assert f"Group text, also to {names}</span>" in page
    assert 'aria-label="Received, group text"' in page
    assert page.count(NOTE) == 1
    assert "Group text</span>" in page_of(cast, f"/inboxes/{cast.front_desk.pk}/")


def test_a_text_to_us_alone_ends_the_note_and_an_answer_does_not(cast: Cast) -> None:
    post_webhook(cast.account, group_fields(*OTHERS))
    thread = Thread.objects.get()
    path = f"/threads/{thread.pk}/"
    cast.answer(thread, "Hello Mara")
    cast.note(thread, "Nobody else got that")
    assert NOTE in page_of(cast, path)
    post_webhook(cast.account, text_fields("Only to you", sid="SM-2"))
    page = page_of(cast, path)
    assert NOTE not in page
    assert page.count("Group text, also to") == 1, "the first one still is one"


def test_a_text_with_no_others_but_us_and_its_sender_is_no_group_text(cast: Cast) -> None:
    post_webhook(cast.account, group_fields(FRONT_DESK, "(202) 555-0177", " "))
    assert Message.objects.get().other_recipients == []
    assert not Thread.objects.get().is_to_group


def test_whoever_may_not_be_written_to_is_said_so_and_nothing_else(cast: Cast) -> None:
    post_webhook(cast.account, group_fields(*OTHERS) | {"Body": "STOP"})
    thread = Thread.objects.get()
    assert find_refusal(thread)
    assert NOTE not in page_of(cast, f"/threads/{thread.pk}/")


def test_an_open_page_is_told_that_an_answer_leaves_the_group(cast: Cast) -> None:
    thread = cast.thread()

    def told() -> str:
        changes = read_changes(
            cast.front_desk.pk,
            rows_since=0,
            messages_since=0,
            open_threads=[thread.pk],
            agent_ids=[cast.ana.pk],
        )
        return changes.refusals[thread.pk]

    def drawn() -> str:
        page = client_of(cast.ana).get(f"/threads/{thread.pk}/composer/").content.decode()
        return page.partition('data-refusal="')[2].partition('"')[0]

    assert told() == drawn() == ""
    post_webhook(cast.account, group_fields(*OTHERS))
    assert told() == drawn() == " (group)"


# Two numbers of ours in one group


def test_each_of_our_numbers_gets_the_text_once_from_twilio(cast: Cast) -> None:
    """Twilio calls for each number, with an id for each."""
    for _ in range(2):
        post_webhook(cast.account, group_fields(DISPATCH, OTHERS[0], sid="MM-1"))
        post_webhook(cast.account, group_fields(FRONT_DESK, OTHERS[0], sid="MM-2", to=DISPATCH))
    assert_one_each(cast)


def test_each_of_our_numbers_gets_the_text_once_from_bandwidth(cast: Cast) -> None:
    """Bandwidth has an event and an id for each number, and `to` of the event names it."""
    cast = move_both(cast, "bandwidth")
    [event] = payload(FIXTURES["bandwidth"], "inbound_group")
    events = []
    for number, ours in enumerate((FRONT_DESK, DISPATCH)):
        one = deepcopy(event)
        one["to"] = one["message"]["owner"] = ours
        one["message"]["to"] = [FRONT_DESK, DISPATCH, OTHERS[0]]
        one["message"]["id"] = f"m{number}"
        events.append(one)
    for body in (events, events[:1], events[1:]):
        assert post_signed(cast.account, FIXTURES["bandwidth"], body).status_code == 200
    assert_one_each(cast)


@pytest.mark.parametrize("are_together", [True, False])
def test_each_of_our_numbers_gets_the_text_once_from_telnyx(
    cast: Cast, are_together: bool
) -> None:
    """No document says whether Telnyx has an id for each number or one for all."""
    cast = move_both(cast, "telnyx")
    marks = [(FRONT_DESK, DISPATCH)] if are_together else [(FRONT_DESK,), (DISPATCH,)]
    for _ in range(2):
        for marked in marks:
            assert post_signed(cast.account, FIXTURES["telnyx"], telnyx_event(*marked))
    assert_one_each(cast)


def test_where_telnyx_marks_nobody_the_text_is_filed_at_our_number(cast: Cast) -> None:
    cast = move_both(cast, "telnyx")
    event = telnyx_event()
    event["data"]["payload"]["to"].reverse()
    assert post_signed(cast.account, FIXTURES["telnyx"], event).status_code == 200
    message = Message.objects.get()
    assert message.inbox in (cast.front_desk, cast.dispatch)
    assert OTHERS[0] in message.other_recipients
    assert not Webhook.objects.quarantined().exists()


def test_a_text_to_a_number_that_is_not_ours_is_not_filed_at_another_of_the_group(
    cast: Cast,
) -> None:
    """Our number has a webhook of its own for it."""
    post_webhook(cast.account, group_fields(FRONT_DESK, to="+12025550119"))
    assert not Message.objects.exists()
    assert "a number that is not set up here" in Webhook.objects.quarantined().get().reason


def move_both(cast: Cast, carrier: str) -> Cast:
    moved = move_front_desk(cast, FIXTURES[carrier])
    Number.objects.filter(address=DISPATCH).update(account=moved.account)
    return moved


def telnyx_event(*marked: str) -> Any:
    """Return a text to both of our numbers and one other, made for those that are marked."""
    event = payload(FIXTURES["telnyx"], "inbound_group")
    event["data"]["payload"]["to"] = [
        {
            "phone_number": number,
            "status": "webhook_delivered" if number in marked else "delivered",
        }
        for number in (FRONT_DESK, DISPATCH)
    ]
    event["data"]["payload"]["cc"] = [{"phone_number": OTHERS[0]}, {"phone_number": CUSTOMER}]
    return json.loads(json.dumps(event))


def assert_one_each(cast: Cast) -> None:
    found = {message.inbox: message.other_recipients for message in Message.objects.all()}
    assert Message.objects.count() == 2
    assert sorted(found[cast.front_desk]) == sorted([DISPATCH, OTHERS[0]])
    assert sorted(found[cast.dispatch]) == sorted([FRONT_DESK, OTHERS[0]])
    assert not Webhook.objects.quarantined().exists()
