"""The views of a list, what it is narrowed to, and whose its rows are."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.utils import timezone

from messaging.work.deeds import assign_threads, snooze
from messaging.work.labels import label_threads
from tests.cast import Cast, client_of
from tests.markup import read_page
from tests.messaging.live.live_pages import parse_elements
from threads.models import Label

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("view", "words"),
    [
        ("open", "Nothing is open"),
        ("mine", "Nothing is assigned to you"),
        ("unassigned", "Nothing is unassigned"),
        ("reply", "Nothing needs a reply"),
        ("unread", "Nothing is unread"),
        ("failed", "No failed texts"),
        ("scheduled", "Nothing is scheduled"),
        ("snoozed", "Nothing is snoozed"),
        ("done", "Nothing is done yet"),
        ("mine&only=low", "No conversations match"),
    ],
)
def test_an_empty_view_says_so_and_leads_back_to_all(cast: Cast, view: str, words: str) -> None:
    page = read_page(client_of(cast.dov).get(f"/?only={view}"))
    assert words in page
    assert 'href="/?only=all&amp;chosen=1"' in page
    assert "Show all messages" in page


def test_what_a_list_is_narrowed_to_can_be_taken_off_one_by_one(cast: Cast) -> None:
    label = Label.objects.create(inbox=cast.front_desk, name="Repair", colour="blue")
    path = f"/inboxes/{cast.front_desk.pk}/"
    page = read_page(
        client_of(cast.ana).get(f"{path}?only=mine&only=unread&only=urgent&label={label.pk}")
    )
    chips = re.findall(r'class="narrowing"\s+href="([^"]+)"[^>]+aria-label="([^"]+)"', page)
    assert {name: unescape(address).removeprefix(path) for address, name in chips} == {
        "Remove Mine": f"?only=unread&only=urgent&label={label.pk}&chosen=1",
        "Remove Unread": f"?only=mine&only=urgent&label={label.pk}&chosen=1",
        "Remove Urgent": f"?only=mine&only=unread&label={label.pk}&chosen=1",
        "Remove Repair": "?only=mine&only=unread&only=urgent&chosen=1",
    }
    alone = read_page(client_of(cast.ana).get(f"{path}?only=mine"))
    assert 'class="narrowing"' not in alone


def test_a_row_says_whose_it_is_and_what_was_done_with_it(cast: Cast) -> None:
    thread = cast.thread()
    inbox_id, only = cast.front_desk.pk, [thread.pk]
    for name in ("Repair", "Billing"):
        label = Label.objects.create(inbox=cast.front_desk, name=name, colour="blue")
        label_threads(
            inbox_id=inbox_id, thread_ids=only, label_id=label.pk, is_on=True, by=cast.ana
        )
    assign_threads(inbox_id=inbox_id, thread_ids=only, assignee=cast.ben, by=cast.ana)
    later = timezone.now() + timedelta(days=30)
    shown = {thread.pk: thread.last_message_id or 0}
    snooze(inbox_id=inbox_id, shown=shown, until=later, by=cast.ana)
    path = f"/inboxes/{cast.front_desk.pk}/?only=all"
    (row,) = parse_elements(read_page(client_of(cast.ana).get(path)))
    for words in ("Snoozed", "until", "Labels Billing Repair", "Assigned to Ben Okafor"):
        assert words in row.words
    (his,) = parse_elements(read_page(client_of(cast.ben).get(path)))
    assert "Assigned to you" in his.words
