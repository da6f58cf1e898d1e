"""Administrators set an inbox's hours, closed days and automatic answers on its page."""

from __future__ import annotations

import html
import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from inboxes.hours.public_holidays import is_region, list_countries, list_parts
from inboxes.hours.texts import fill_text
from inboxes.models import ClosedDay, Inbox
from tests.cast import Cast, client_of

WEEKDAYS_9_TO_5 = {
    f"weekly_hours-{day}-0-{end}": time
    for day in range(5)
    for end, time in (("opens", "09:00"), ("closes", "17:00"))
}


def words_of(page: str) -> str:
    """Return what people read on the page, with one space between the words."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


class Editor:
    """The page of Front Desk, as an administrator without scripts sends it."""

    def __init__(self, cast: Cast) -> None:
        self.inbox = cast.front_desk
        self.client: Client = client_of(cast.admin)
        self.path = f"/admin/inboxes/inbox/{self.inbox.pk}/change/"

    def page(self) -> str:
        return self.client.get(self.path).content.decode()

    def save(self, **fields: Any) -> str:
        """Save the page; return the words of the page with errors, "" if it was saved."""
        answer = self.client.post(self.path, self.fields(**fields))
        self.inbox.refresh_from_db()
        self.answer = answer.content.decode()
        return "" if answer.status_code == 302 else words_of(self.answer)

    def fields(self, **fields: Any) -> dict[str, Any]:
        return {
            "name": "Front Desk",
            "memberships-TOTAL_FORMS": "0",
            "memberships-INITIAL_FORMS": "0",
            "labels-TOTAL_FORMS": "0",
            "labels-INITIAL_FORMS": "0",
            "time_zone": "America/New_York",
            **fields,
        }

    def save_times(self, *times: str, **fields: Any) -> str:
        """Save hours of Monday: when it opens, closes, opens again…"""
        names = [
            f"weekly_hours-0-{number}-{end}" for number in range(6) for end in ("opens", "closes")
        ]
        return self.save(**dict(zip(names, times, strict=False)), **fields)


@pytest.fixture
def editor(cast: Cast) -> Editor:
    return Editor(cast)


def test_a_new_inbox_has_no_hours(editor: Editor) -> None:
    assert "No hours: never closed." in words_of(editor.page())
    assert editor.save() == ""
    assert (editor.inbox.weekly_hours, editor.inbox.holiday_region) == ([], "")


def test_hours_of_several_days_and_times_are_saved_and_read_out(editor: Editor) -> None:
    saved = editor.save(
        **WEEKDAYS_9_TO_5
        | {
            "weekly_hours-0-0-closes": "12:00",
            "weekly_hours-0-3-opens": "13:00",
            "weekly_hours-0-3-closes": "18:30",
            "weekly_hours-5-0-opens": "20:00",
            "weekly_hours-5-0-closes": "02:00",
        },
        holiday_country="US",
        holiday_part="US-CA",
    )
    assert saved == ""
    assert editor.inbox.weekly_hours == [
        [["09:00", "12:00"], ["13:00", "18:30"]],
        *[[["09:00", "17:00"]]] * 4,
        [["20:00", "24:00"]],
        [["00:00", "02:00"]],
    ]
    assert (editor.inbox.time_zone, editor.inbox.holiday_region) == ("America/New_York", "US-CA")
    words = words_of(editor.page())
    assert (
        "Open Monday 9:00 AM to 12:00 PM and 1:00 PM to 6:30 PM; Tuesday to Friday 9:00 AM to "
        "5:00 PM; Saturday 8:00 PM to 2:00 AM (New York time). Closed on Sunday and public "
        "holidays (California, United States)."
    ) in words
    # The page shows what was typed: the evening is one span.
    page = editor.page()
    assert _values(page, 5) == [("20:00", "02:00"), ("", "")]
    assert _values(page, 6) == [("", ""), ("", "")]
    assert editor.save(**_typed(page), holiday_country="US", holiday_part="US-CA") == ""
    assert editor.inbox.weekly_hours[5:] == [[["20:00", "24:00"]], [["00:00", "02:00"]]]


def _typed(page: str) -> dict[str, str]:
    return {
        f"weekly_hours-{day}-{number}-{end}": value
        for day in range(7)
        for number, pair in enumerate(_values(page, day))
        for end, value in zip(("opens", "closes"), pair, strict=True)
    }


def _values(page: str, day: int) -> list[tuple[str, str]]:
    """Return the times that the page shows for a day, in pairs."""
    parts = page.split(f'name="weekly_hours-{day}-')[1:]
    values = [part.split('value="')[1].split('"')[0] for part in parts]
    return list(zip(values[::2], values[1::2], strict=True))


def test_a_whole_day_goes_from_midnight_to_midnight(editor: Editor) -> None:
    assert editor.save_times("00:00", "00:00") == ""
    assert editor.inbox.weekly_hours[0] == [["00:00", "24:00"]]
    assert "Open Monday all day (New York time)." in words_of(editor.page())


def test_times_may_be_typed_as_people_write_them(editor: Editor) -> None:
    assert editor.save_times("8:30 AM", "12 pm", "1.15pm", "17:00:00") == ""
    assert editor.inbox.weekly_hours[0] == [["08:30", "12:00"], ["13:15", "17:00"]]


@pytest.mark.parametrize(
    ("times", "why"),
    [
        (["09:00"], "Monday: Enter when it opens and when it closes."),
        (["", "17:00"], "Monday: Enter when it opens and when it closes."),
        (["09:00", "09:00"], "Monday: It can't open and close at the same time."),
        (["09:00", "13:00", "12:00", "17:00"], "Monday: These times overlap."),
        (["20:00", "02:00", "21:00", "22:00"], "Monday: These times overlap."),
        (["nine", "17:00"], "Monday: Enter times such as 8:30 AM or 17:00."),
        (["25:00", "26:00"], "Monday: Enter times such as 8:30 AM or 17:00."),
        (["13 pm", "17:00"], "Monday: Enter times such as 8:30 AM or 17:00."),
    ],
)
def test_times_that_make_no_sense_are_told_and_kept(
    editor: Editor, times: list[str], why: str
) -> None:
    words = editor.save_times(*times, closed_text="Back soon")
    assert why in words
    assert editor.inbox.weekly_hours == []
    for time in filter(None, times):
        assert f'value="{time}"' in editor.answer
    assert "Back soon" in editor.answer
    assert 'aria-invalid="true"' in editor.answer


def test_a_zone_or_country_that_is_not_in_the_list_is_refused(editor: Editor) -> None:
    words = editor.save(**WEEKDAYS_9_TO_5, time_zone="Mars/Olympus", holiday_country="ZZ")
    assert "Choose a time zone from the list." in words
    assert "Choose a country from the list." in words
    assert "Choose the time zone of these hours." in editor.save(**WEEKDAYS_9_TO_5, time_zone="")


def test_a_part_of_another_country_than_the_chosen_one_does_not_count(editor: Editor) -> None:
    assert editor.save(holiday_country="DE", holiday_part="US-CA") == ""
    assert editor.inbox.holiday_region == "DE"
    assert editor.save(holiday_country="DE", holiday_part="DE-BY") == ""
    assert editor.inbox.holiday_region == "DE-BY"
    assert editor.save(holiday_country="", holiday_part="DE-BY") == ""
    assert editor.inbox.holiday_region == ""


def test_every_country_has_a_name_and_holidays_fit_their_column() -> None:
    assert ("US", "United States") in list_countries()
    assert ("DE-BY", "Bayern") in list_parts("DE")
    for country, name in list_countries():
        assert name
        for region, part in list_parts(country):
            assert is_region(region), region
            assert part
    for wrong in ("", "ZZ", "US-ZZ", "US-", "-", "UK", "us", "US-CA-CA"):
        assert not is_region(wrong), wrong


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"answers_when_closed": "on"}, "Write the answer, or turn it off above."),
        ({"answers_when_closed": "on"}, "Enter hours above: without them it is never closed."),
        ({"greets": "on"}, "Write the greeting, or turn it off above."),
        ({"closed_text": "Yours, {me}"}, "{me} can't be filled in here. You can use {inbox},"),
        ({"greeting_text": "We open {opens}"}, "{opens} can't be filled in here."),
        ({"closed_text": "x" * 641}, "Use at most 640 characters; this one has 641."),
        ({"closed_text": "\u200b\u2060"}, "This text has no visible characters."),
    ],
)
def test_texts_are_checked_before_they_are_ever_sent(
    editor: Editor, fields: dict[str, str], why: str
) -> None:
    assert why in editor.save(**fields)
    assert not (editor.inbox.answers_when_closed)
    assert not (editor.inbox.greets)
    assert (editor.inbox.closed_text, editor.inbox.greeting_text) == ("", "")


def test_automatic_answers_are_saved_with_their_segments_below_them(editor: Editor) -> None:
    saved = editor.save(
        **WEEKDAYS_9_TO_5,
        answers_when_closed="on",
        closed_text="Hi {First Name},\r\nwe open {opens}.",
        greets="on",
        greeting_text="Welcome – {inbox}",
    )
    assert saved == ""
    assert editor.inbox.answers_when_closed
    assert editor.inbox.closed_text == "Hi {First Name},\nwe open {opens}."
    words = words_of(editor.page())
    # Counted as they leave: "Hi Maria,\nwe open Wednesday at 10:30 AM."
    assert "40/160 · 1 segment" in words
    assert "20/70 · 1 segment" in words


def test_closed_days_are_added_and_removed_on_the_same_page(editor: Editor) -> None:
    day = timezone.localdate() + timedelta(days=30)

    def days(*rows: dict[str, Any], initial: int = 0) -> dict[str, Any]:
        fields = {"closed_days-TOTAL_FORMS": len(rows), "closed_days-INITIAL_FORMS": initial}
        for number, row in enumerate(rows):
            fields |= {f"closed_days-{number}-{name}": value for name, value in row.items()}
            fields[f"closed_days-{number}-inbox"] = editor.inbox.pk
        return fields

    assert editor.save(**days({"date": day.isoformat(), "name": "Stocktaking"})) == ""
    saved = ClosedDay.objects.get(inbox=editor.inbox)
    assert (saved.date, saved.name) == (day, "Stocktaking")
    twice = {"date": day.isoformat(), "name": ""}
    row = {"id": saved.pk, "date": day.isoformat(), "name": "Stocktaking"}
    assert "That day is in the list already." in editor.save(**days(row, twice, initial=1))
    assert "Choose a day." in editor.save(**days(row, {"name": "Easter"}, initial=1))
    assert "Enter a day such as" in editor.save(**days(row, {"date": "tomorrow"}, initial=1))
    assert "That day is over." in editor.save(**days(row, {"date": "2020-01-01"}, initial=1))
    # A form without this part leaves them alone.
    assert editor.save() == ""
    assert ClosedDay.objects.count() == 1
    assert editor.save(**days({**row, "DELETE": "on"}, initial=1)) == ""
    assert not ClosedDay.objects.exists()


def test_closed_days_that_are_over_are_kept_and_not_shown(editor: Editor) -> None:
    ClosedDay.objects.create(inbox=editor.inbox, date=date(2020, 12, 24), name="Long ago")
    assert "Long ago" not in editor.page()
    assert editor.save() == ""
    assert ClosedDay.objects.count() == 1


def test_the_page_names_the_next_holidays(editor: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now().replace(year=2026, month=11, day=20)
    monkeypatch.setattr(timezone, "now", lambda: now)
    Inbox.objects.filter(pk=editor.inbox.pk).update(holiday_region="US")
    words = words_of(editor.page())
    assert "Thanksgiving Day (Thursday, November 26)," in words
    assert "New Year's Day (Friday, January 1, 2027)" in words


def test_hours_are_read_out_while_they_are_typed(editor: Editor, cast: Cast) -> None:
    query = {**WEEKDAYS_9_TO_5, "time_zone": "Asia/Kathmandu", "holiday_country": "DE"}
    page = editor.client.get("/admin/inboxes/inbox/hours/", query).content.decode()
    assert "Open Monday to Friday 9:00 AM to 5:00 PM (Kathmandu time)." in words_of(page)
    assert '<option value="DE-BY"' in page
    incomplete = editor.client.get("/admin/inboxes/inbox/hours/", {"weekly_hours-0-0-opens": "9"})
    assert "Some times are not complete yet." in words_of(incomplete.content.decode())
    assert not Inbox.objects.exclude(weekly_hours=[]).exists()
    assert client_of(cast.ana).get("/admin/inboxes/inbox/hours/").status_code == 403


def test_a_personal_line_has_hours_too(cast: Cast) -> None:
    editor = Editor(cast)
    editor.inbox = cast.anas_line
    editor.path = f"/admin/inboxes/inbox/{cast.anas_line.pk}/change/"
    assert editor.save(**WEEKDAYS_9_TO_5) == ""
    assert editor.inbox.weekly_hours[0] == [["09:00", "17:00"]]


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("Hi {first name}, we're closed.", "Hi, we're closed."),
        ("{first name}, we're closed.", "We're closed."),
        ("{contact}! Hello", "Hello"),
        ("Thanks {contact}!", "Thanks!"),
        ("We open {opens}, {first name}.", "We open later."),
        ("a\n{contact}\nb", "a\n\nb"),
        ("{nothing} {FIRST NAME}{opens}", "{nothing}later"),
        ("{contact}", ""),
    ],
)
def test_a_word_in_braces_without_a_value_leaves_a_whole_sentence(text: str, filled: str) -> None:
    assert fill_text(text, {"opens": "later", "contact": "", "first name": ""}) == filled
