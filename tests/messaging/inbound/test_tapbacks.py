"""A tapback that comes in shows on the message that it quotes, and asks for nothing."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from channels.db import database_sync_to_async as in_database
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from messaging.carriers import events
from messaging.inbound import reactions
from messaging.inbound.receiving import store_late_text
from messaging.models import Message, Notification, ScheduledText
from messaging.notifications.lists import list_notifications
from messaging.outbound.scheduling import send_if_due
from messaging.stream.wishes import find_wishes
from tests.cast import CUSTOMER, FRONT_DESK, Cast, client_of
from tests.markup import read_words
from tests.messaging.live.live_pages import LivePage, new_tab
from tests.messaging.scheduled_texts import make_due, schedule_in
from threads.models import Thread


def reload(message: Message) -> Message:
    return Message.objects.get(pk=message.pk)


def page_of(cast: Cast, thread: Thread, query: str = "") -> str:
    return client_of(cast.ana).get(f"/threads/{thread.pk}/{query}").text


def article(html: str, message: Message) -> str:
    """Return the markup of the message in a page."""
    found = re.search(rf'<article id="message-{message.pk}".*?</article>', html, re.DOTALL)
    return found[0] if found else ""


def add_picture(message: Message) -> Message:
    Message.objects.filter(pk=message.pk).update(picture_count=1)
    return message


def test_it_shows_on_the_message_and_its_own_words_are_folded_away(cast: Cast) -> None:
    thread = cast.thread()
    answer = cast.answer(thread, "See you at 5")
    tapback = cast.text_in("Liked “See you at 5”")
    assert (tapback.reaction, tapback.reaction_to_id) == ("👍", answer.pk)
    html = page_of(cast, thread)
    assert 'aria-label="Reaction: Liked, by the contact"' in article(html, answer)
    assert "👍" in article(html, answer)
    folded = article(html, tapback)
    assert "<details" in folded
    assert "Liked a message" in folded
    assert "Liked “See you at 5”" in folded
    assert f"/threads/{thread.pk}/?at={answer.pk}#message-{answer.pk}" in folded
    assert "Reaction:" not in article(html, tapback)


def test_the_contact_may_react_to_a_text_of_their_own(cast: Cast) -> None:
    first = cast.text_in("Is anybody there?")
    assert cast.text_in("Questioned “Is anybody there?”").reaction_to == first


def test_a_later_one_replaces_and_one_that_is_taken_back_is_gone(cast: Cast) -> None:
    answer = cast.answer(cast.thread(), "See you at 5")
    shown = []
    for text in (
        "Liked “See you at 5”",
        "Loved “See you at 5”",
        "Removed a like from “See you at 5”",
        "Removed a heart from “See you at 5”",
        "Reacted 🎉 to “See you at 5”",
    ):
        cast.text_in(text)
        shown.append(reload(answer).reacted_with)
    assert shown == ["👍", "❤️", "❤️", "", "🎉"]
    html = page_of(cast, answer.thread)
    assert 'aria-label="Reaction: 🎉, by the contact"' in article(html, answer)
    assert "Took 👍 back" in html
    assert "Reacted 🎉 to a message" in html


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("See you at 5, by the old gate", "Liked “See you at 5…”"),
        ("It’s “fine” – see you…", 'Liked "It\'s "fine" - see you..."'),
        ("See you\nat 5", "Liked “See you at 5”"),
        ("Café at 5?", "Liked “Cafe at 5?”"),
        ("See you at 5. And bring the keys, please.", "Liked “See you at 5. And bring the keys”"),
        ("👍", "Liked “👍”"),
    ],
)
def test_a_quote_is_found_as_carriers_change_it(cast: Cast, body: str, text: str) -> None:
    answer = cast.answer(cast.thread(), body)
    assert cast.text_in(text).reaction_to == answer


def test_the_newest_of_equal_texts_is_meant_and_a_whole_one_before_a_beginning(
    cast: Cast,
) -> None:
    thread = cast.thread()
    cast.answer(thread, "On my way")
    second = cast.answer(thread, "On my way")
    cast.answer(thread, "On my way to you, Sam")
    assert cast.text_in("Liked “On my way”").reaction_to == second


def test_a_short_quote_is_not_taken_for_the_beginning_of_something_else(cast: Cast) -> None:
    cast.answer(cast.thread(), "Okay, see you")
    assert cast.text_in("Liked “Ok”").reaction_to is None


def test_a_picture_is_the_newest_one(cast: Cast) -> None:
    thread = cast.thread()
    add_picture(cast.answer(thread, "The old one"))
    newest = add_picture(cast.answer(thread, "The new one"))
    cast.answer(thread, "Do you like it?")
    assert cast.text_in("Loved an image").reaction_to == newest
    assert cast.text_in("Loved a movie").reaction_to == newest


def test_an_internal_message_and_another_thread_are_never_quoted(cast: Cast) -> None:
    thread = cast.thread()
    cast.note(thread, "They are late again")
    cast.answer(cast.thread(sender="+12025550178"), "See you at 5")
    assert cast.text_in("Liked “They are late again”").reaction_to is None
    assert cast.text_in("Liked “See you at 5”").reaction_to is None


def test_one_whose_message_is_not_found_shows_as_a_text_that_needs_no_reply(cast: Cast) -> None:
    thread = cast.answer(cast.thread(), "Hello").thread
    tapback = cast.text_in("Liked “Something else”")
    folded = article(page_of(cast, thread), tapback)
    assert "Liked “Something else”" in folded
    assert "<details" not in folded
    assert not Thread.objects.get(pk=thread.pk).needs_reply


def test_what_a_person_wrote_stays_a_text_that_needs_a_reply(cast: Cast) -> None:
    thread = cast.answer(cast.thread(), "the offer").thread
    assert cast.text_in("Liked the offer").reaction == ""
    assert Thread.objects.get(pk=thread.pk).needs_reply


@pytest.mark.parametrize("is_answered", [True, False])
@pytest.mark.parametrize("status", ["open", "done"])
def test_it_neither_asks_for_a_reply_nor_answers_nor_reopens(
    cast: Cast, is_answered: bool, status: str
) -> None:
    thread = cast.thread()
    if is_answered:
        cast.answer(thread, "See you at 5")
    Thread.objects.filter(pk=thread.pk).update(status=status)
    before = Thread.objects.values("needs_reply", "status", "waiting_since").get(pk=thread.pk)
    cast.text_in("Liked “See you at 5”" if is_answered else "Loved “Is anybody there?”")
    after = Thread.objects.values("needs_reply", "status", "waiting_since").get(pk=thread.pk)
    assert after == before


def test_it_is_the_lists_preview_and_notifies_quietly(cast: Cast) -> None:
    thread = cast.thread()
    cast.answer(thread, "See you at 5")
    tapback = cast.text_in("Liked “See you at 5”")
    client = client_of(cast.ben)
    assert "Liked “See you at 5”" in read_words(client.get(f"/inboxes/{cast.front_desk.pk}/"))
    told = Notification.objects.get(agent=cast.ben, message=tapback)
    assert told.reason == "inbound"
    row = list_notifications(cast.ben).rows[0]
    assert (row.reason, row.excerpt) == ("Reaction", "Liked “See you at 5”")


def test_its_words_are_found_by_a_search(cast: Cast) -> None:
    thread = cast.thread()
    cast.answer(thread, "See you at 5")
    tapback = cast.text_in("Emphasized “See you at 5”")
    page = client_of(cast.ana).get("/search/?q=emphasized").text
    assert f"/threads/{thread.pk}/?at={tapback.pk}" in page


def test_a_quote_of_how_to_stop_is_no_wish_to_stop(cast: Cast) -> None:
    thread = cast.thread()
    cast.answer(thread, "Reply STOP to opt out")
    cast.text_in("Liked “Reply STOP to opt out”")
    assert find_wishes([thread.pk]) == {}
    wish = cast.text_in("Please don't text me any more")
    cast.text_in("Removed a like from “Reply STOP to opt out”")
    assert find_wishes([thread.pk]) == {thread.pk: wish.pk}


def test_a_text_with_a_picture_is_no_tapback(cast: Cast) -> None:
    thread = cast.answer(cast.thread(), "See you at 5").thread
    text = events.InboundText(
        "SM1",
        CUSTOMER,
        FRONT_DESK,
        "Liked “See you at 5”",
        media=(events.InboundMedia("https://example.com/a", "image/png"),),
    )
    store_late_text(text, account=cast.account, arrived_at=timezone.now())
    newest = Message.objects.filter(thread=thread).latest("pk")
    assert (newest.kind, newest.reaction) == ("inbound", "")


def test_a_late_one_quotes_what_was_there_and_changes_nothing_that_came_after(
    cast: Cast,
) -> None:
    answer = cast.answer(cast.thread(), "See you at 5")
    Message.objects.update(created_at=timezone.now() - timedelta(hours=2))
    cast.text_in("Loved “See you at 5”")
    cast.answer(answer.thread, "See you at 5")
    text = events.InboundText("SM1", CUSTOMER, FRONT_DESK, "Liked “See you at 5”")
    arrived_at = timezone.now() - timedelta(hours=1)
    assert store_late_text(text, account=cast.account, arrived_at=arrived_at)
    late = Message.objects.late().get()
    assert late.reaction_to == answer
    assert reload(answer).reacted_with == "❤️"


def test_the_same_tapback_twice_is_stored_once(cast: Cast) -> None:
    answer = cast.answer(cast.thread(), "See you at 5")
    text = events.InboundText("SM1", CUSTOMER, FRONT_DESK, "Liked “See you at 5”")
    for _ in range(2):
        store_late_text(text, account=cast.account, arrived_at=timezone.now())
    assert answer.reactions.count() == 1


def test_a_thread_is_not_searched_to_its_beginning(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reactions, "COMPARED", 3)
    thread = cast.thread()
    cast.answer(thread, "See you at 5")
    cast.answer(thread, "One")
    cast.answer(thread, "Two")
    assert cast.text_in("Liked “See you at 5”").reaction_to is not None
    cast.answer(thread, "Three")
    assert cast.text_in("Liked “See you at 5”").reaction_to is None


def test_an_ordinary_text_takes_no_query_more(cast: Cast) -> None:
    cast.answer(cast.thread(), "See you at 5")
    counts = []
    for text in ("Liked it", "See you then"):
        with CaptureQueriesContext(connection) as queries:
            cast.text_in(text)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_reaction_holds_up_no_text_that_somebody_is_about_to_send(cast: Cast) -> None:
    thread = cast.thread()
    answer = cast.answer(thread, "See you at 5")
    thread.refresh_from_db()
    scheduled = schedule_in(cast, thread)
    cast.text_in("Liked “See you at 5”")
    (shown,) = ScheduledText.objects.listed(thread)
    assert shown.overtaking == ""
    assert not Message.objects.of_others_since(thread, cast.ana, answer.pk).exists()
    send_if_due(text=make_due(scheduled))
    assert Message.objects.latest("pk").body == scheduled.body


# On open pages


async def shown_after(cast: Cast, *texts: str, is_away: bool) -> tuple[Any, Any]:
    """Return what an open page shows once these texts came, and what a page loaded then shows."""
    thread = await in_database(cast.thread)()
    await in_database(cast.answer)(thread, "See you at 5")
    page = await in_database(new_tab)(cast.ana)
    await in_database(page.load)(f"/threads/{thread.pk}/")
    await page.open()
    if is_away:
        await page.disconnect()
    for text in texts:
        await in_database(cast.text_in)(text)
    if is_away:
        await page.open()
    await page.receive_until_idle()
    await page.disconnect()
    fresh = await in_database(new_tab(cast.ana, page.client).load)(page.path)
    await in_database(fresh.load)()
    return shown_in_log(page, thread), shown_in_log(fresh, thread)


def shown_in_log(page: LivePage, thread: Thread) -> set[Any]:
    return {one.shown for one in page.placed.values() if one.container == f"log-{thread.pk}"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_away", [False, True])
@pytest.mark.parametrize("is_taken_back", [False, True])
async def test_an_open_page_shows_what_one_loaded_anew_shows(
    cast: Cast, is_away: bool, is_taken_back: bool
) -> None:
    texts = ["Loved “See you at 5”"]
    if is_taken_back:
        texts.append("Removed a heart from “See you at 5”")
    live, fresh = await shown_after(cast, *texts, is_away=is_away)
    assert live == fresh
    marks = [one[3] for one in live if "outbound" in one[3]]
    assert ["has-reaction" in one for one in marks] == [not is_taken_back]
    assert json.dumps([sorted(one[3]) for one in live]).count("tapback") == len(texts)
