"""Times as the server words them: by the language and the zone of whoever reads them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.template import Context, Template
from django.utils import timezone

from inboxes import times
from inboxes.models import Agent
from messaging.models import OptOut
from messaging.stream.refusals import opt_out_sentence
from tests.cast import CUSTOMER, FRONT_DESK, Cast, client_of

NOW = datetime(2026, 11, 27, 15, 30, tzinfo=UTC)
EVENING = datetime(2026, 11, 22, 2, 35, tzinfo=UTC)  # in New York still the 21st


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)


@pytest.mark.parametrize(
    ("language", "zone", "style", "words"),
    [
        ("en-US", "America/New_York", "bubble", "9:35 PM"),
        ("en-GB", "Europe/London", "bubble", "02:35"),
        ("de-DE", "Europe/Berlin", "bubble", "03:35"),
        ("de", "Europe/Berlin", "bubble", "03:35"),
        ("ar-EG", "Africa/Cairo", "bubble", "4:35 AM"),
        ("ja-JP", "Asia/Tokyo", "bubble", "11:35"),
        ("en-US", "America/New_York", "row", "Sat"),
        ("en-US", "America/New_York", "past", "on November 21 at 9:35 PM"),
        ("en-GB", "Europe/London", "past", "on 22 November at 02:35"),
        ("en-US", "America/New_York", "date", "Nov 21, 2026"),
        ("de-DE", "Europe/Berlin", "date", "22 Nov 2026"),
        ("en-IN", "Asia/Kolkata", "date", "22 Nov 2026"),
    ],
)
def test_people_read_a_time_with_their_own_clock_and_order(
    language: str, zone: str, style: times.Style, words: str
) -> None:
    with times.reading(language, zone):
        assert times.format_time(EVENING, style) == words


@pytest.mark.parametrize(
    ("language", "zone", "words"),
    [
        ("en-US", "America/New_York", "Saturday, November 21, 2026 at 9:35 PM, New York time"),
        ("en-GB", "Europe/London", "Sunday, 22 November 2026 at 02:35, London time"),
        ("", "", "Sunday, November 22, 2026 at 2:35 AM, UTC"),
        ("not a language", "Mars/Olympus", "Sunday, November 22, 2026 at 2:35 AM, UTC"),
        ("xx-XX", "UTC", "Sunday, November 22, 2026 at 2:35 AM, UTC"),
    ],
)
def test_a_time_has_the_full_date_and_its_zone_as_its_title(
    language: str, zone: str, words: str
) -> None:
    with times.reading(language, zone):
        element = times.time_element(EVENING, "row")
    assert f'title="{words}"' in element


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en-US", "November 22, 2026 at 2:35 AM"),
        ("en-AU", "22 November 2026 at 2:35 AM"),
        ("ar-EG", "22 November 2026 at 2:35 AM"),
        ("de-DE", "22 November 2026 at 02:35"),
        ("ja-JP", "November 22, 2026 at 02:35"),
        ("hu-HU", "November 22, 2026 at 02:35"),
    ],
)
def test_the_administration_has_the_readers_clock_and_order(
    cast: Cast, language: str, words: str
) -> None:
    Agent.objects.filter(pk=cast.admin.pk).update(language=language, time_zone="UTC")
    OptOut.objects.create(
        our_address=FRONT_DESK, address=CUSTOMER, source="administrator", since=EVENING
    )
    page = client_of(cast.admin).get("/admin/messaging/optout/").content.decode()
    assert f'title="Sunday, {words}, UTC"' in page


def test_the_next_reader_gets_times_of_their_own() -> None:
    with times.reading("de-DE", "Europe/Berlin"):
        assert times.format_time(EVENING, "bubble") == "03:35"
    assert times.format_time(EVENING, "bubble") == "2:35 AM"


@pytest.mark.parametrize(
    ("language", "weekday"),
    [("en-US", "Monday"), ("de-DE", "Monday"), ("ar-EG", "Sunday"), ("he-IL", "Sunday")],
)
def test_the_week_begins_after_the_weekend_of_the_country(language: str, weekday: str) -> None:
    with times.reading(language, "UTC"):
        assert Template("{% load formats %}{% first_workday %}").render(Context()) == weekday


@pytest.mark.parametrize(
    "tag", ["", "-", "en_US", "en-US;q=1", "<script>", "e" * 40, "en-" + "a" * 40, "en\n"]
)
def test_what_is_no_language_is_refused(tag: str) -> None:
    assert not times.is_language(tag)


def test_a_browser_reports_how_its_agent_reads_times(cast: Cast) -> None:
    report = {"language": "en-GB", "time_zone": "Europe/London"}
    assert client_of(cast.ana).post("/settings/locale/", report).status_code == 204
    ana = Agent.objects.get(pk=cast.ana.pk)
    assert (ana.language, ana.time_zone) == ("en-GB", "Europe/London")
    for bad in ({**report, "time_zone": "Europe/Atlantis"}, {**report, "language": "<b>"}):
        assert client_of(cast.ana).post("/settings/locale/", bad).status_code == 422
    assert Agent.objects.get(pk=cast.ana.pk).time_zone == "Europe/London"
    assert Agent.objects.get(pk=cast.ben.pk).time_zone == ""


def test_a_page_is_worded_for_the_agent_who_asks_for_it(cast: Cast) -> None:
    thread = cast.thread()
    Agent.objects.filter(pk=cast.ana.pk).update(language="en-GB", time_zone="Asia/Tokyo")
    client = client_of(cast.ana)
    page = client.get(f"/threads/{thread.pk}/").content.decode()
    local = timezone.localtime(thread.contact.created_at, ZoneInfo("Asia/Tokyo"))
    assert f"{local:%H:%M}, Tokyo time" in page
    for_ben = client_of(cast.ben).get(
        f"/threads/{thread.pk}/", headers={"Accept-Language": "de-DE,en;q=0.5"}
    )
    assert ", UTC" in for_ben.content.decode()
    assert " PM" not in for_ben.content.decode()


def test_a_refusal_tells_the_time_where_a_page_can_word_it_and_nowhere_else(cast: Cast) -> None:
    cast.text_in("STOP")
    sentence = opt_out_sentence(OptOut.objects.get(), None)
    assert "2026" not in sentence
    assert ":" not in str(sentence)
    drawn = Template("{{ sentence }}").render(Context({"sentence": sentence}))
    assert '<time datetime="' in drawn
    assert drawn.startswith("(202) 555-0177 opted out of texts from (202) 555-0110 <time ")
