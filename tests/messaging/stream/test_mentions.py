"""Find mentions, and the members who can be mentioned."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from inboxes.actions import add_member
from inboxes.models import Agent
from messaging.models import Message, Notification
from messaging.stream.mentions import (
    find_mentions,
    fold_handle,
    match_agents,
    mentionable_agents,
)
from tests.cast import Cast, client_of
from tests.page_scripts import PageScripts


def handles_in(body: str, people: list[str], author: str = "ana") -> list[str]:
    """Return the mentions in the body, as they are written."""
    named = {name: Agent(pk=pk, username=name) for pk, name in enumerate([*people, author])}
    found = find_mentions(body, [named[name] for name in people], named[author])
    return [body[mention.start : mention.end] for mention in found]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("@ben", ["@ben"]),
        ("Hi @ben!", ["@ben"]),
        ("Ask @ben.", ["@ben"]),
        ("Ask @ben. @cho knows", ["@ben", "@cho"]),
        ("(@ben)", ["@ben"]),
        ("line\n@ben", ["@ben"]),
        ("@BEN and @Ben", ["@BEN", "@Ben"]),
        ("👍👍 @ben", ["@ben"]),
        ("👍@ben👍", ["@ben"]),
        ("_@ben_ please", ["@ben"]),
        ("*@ben* please", ["@ben"]),
        ("@@ben", ["@ben"]),
        ("-@ben-", ["@ben"]),
        ("a.@ben", ["@ben"]),
        ("@ben@host.example", ["@ben"]),
        ("@ben@cho", ["@ben"]),
        ("@ben/@cho", ["@ben", "@cho"]),
        ("@ana.k", ["@ana.k"]),
        ("@ana.k.", ["@ana.k"]),
        ("@benny", []),
        ("@ben5", []),
        ("@bené", ["@ben"]),
        ("@béն", []),
        ("@ben\u0301", []),
        ("ben@host", []),
        ("ben@ben", []),
        ("5@ben", []),
        ("mail a.b@ben.example", []),
        ("@ ben", []),
        ("@dov", []),
        ("@ana", []),
        ("@", []),
    ],
)
def test_an_ascii_letter_or_digit_beside_it_makes_a_handle_another_word(
    body: str, found: list[str]
) -> None:
    assert handles_in(body, ["ben", "cho", "ana.k"]) == found


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("確認お願いします@ben", ["@ben"]),
        ("请@ben看一下", ["@ben"]),
        ("＠ben お願いします", ["＠ben"]),
        ("﹫ben", ["﹫ben"]),
        ("＠ｂｅｎ、＠ＣＨＯ", ["＠ｂｅｎ", "＠ＣＨＯ"]),
        ("@ben様、よろしく", ["@ben"]),
        ("@benさん@choさん", ["@ben", "@cho"]),
        ("ben님께 @ben님", ["@ben"]),
        ("спроси@ben", ["@ben"]),
        ("שאל את@ben בבקשה", ["@ben"]),
        ("ถาม@benหน่อย", ["@ben"]),
        ("é@ben", ["@ben"]),
        ("ß@benß", ["@ben"]),
        ("@ben٣", ["@ben"]),
        ("ａ@ben", []),
        ("@benｊ", []),
        ("1⃣@ben", ["@ben"]),
        ("@\u200bben", []),
        ("\u200b@ben\u200b", ["@ben"]),
    ],
)
def test_a_handle_is_found_in_every_script(body: str, found: list[str]) -> None:
    assert handles_in(body, ["ben", "cho"]) == found


def test_what_is_highlighted_is_what_was_matched_in_the_text_as_it_was_written() -> None:
    assert handles_in("@jose\u0301様 ＠ｊｏｓé", ["josé"]) == ["@jose\u0301", "＠ｊｏｓé"]
    assert handles_in("請＠田中さん、ｶﾞ@ｶﾞ", ["田中", "ガ"]) == ["＠田中", "@ｶﾞ"]
    assert handles_in("@한국님", ["한국"]) == ["@한국"]
    assert handles_in("@\u1112\u1161\u11abx", ["한"]) == []


def test_the_longest_handle_wins() -> None:
    assert handles_in("@ben.k and @ben", ["ben", "ben.k"]) == ["@ben.k", "@ben"]


def test_ones_own_longer_handle_is_nobody_elses_shorter_one() -> None:
    assert handles_in("I am @ben.k", ["ben"], author="ben.k") == []


def test_letters_of_other_alphabets_ignore_case() -> None:
    assert handles_in("@JOSÉ, @STRASSE, @ΟΔΟΣ", ["josé", "straße", "οδος"]) == [
        "@JOSÉ",
        "@STRASSE",
        "@ΟΔΟΣ",
    ]


names = st.text("bencho.k-_@+josé田中ßıi̇ガ", min_size=1, max_size=4)
pieces = st.sampled_from(
    ["@", "＠", "﹫", "ben", "ＢＥＮ", "Ben", "cho", " ", "\n", "a", "9", "ａ", "_", ".", "様",
     "看", "👍", "é", "e\u0301", "\u0301", "ß", "ẞ", "İ", "ı", "ｶﾞ", "ᄒ", "ᅡ", "ᆫ", "㏂", "№",
     "ﬁ", "\u200b", "K"]
)  # fmt: skip
bodies = st.lists(pieces | names | st.characters(exclude_categories=("Cs", "Co", "Cn"))).map(
    "".join
)
compared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@compared
@given(bodies, st.lists(names | st.just("ben"), max_size=4, unique_by=fold_handle))
@example("👍@ben @cho @JOSÉ @STRASSE @straẞe @İ @ıx", ["ben", "josé", "straße", "i̇", "ix"])
def test_the_page_finds_the_same_mentions_as_the_server(
    page_scripts: PageScripts, body: str, handles: list[str]
) -> None:
    people = [Agent(pk=pk, username=name) for pk, name in enumerate(handles)]
    found = [
        {"start": one.start, "end": one.end, "handle": handles[one.agent_id]}
        for one in find_mentions(body, people, Agent(pk=99, username="ana"))
    ]
    answer = page_scripts.call("composer/mentions.js", "findMentions", body, handles, "ana")
    assert answer == found


@given(bodies, names)
def test_a_handle_between_other_characters_than_ascii_letters_is_always_a_mention(
    text: str, name: str
) -> None:
    person, author = Agent(pk=1, username=name), Agent(pk=2, username="somebody.else")
    for body in (f"{text} @{name} {text}", f"看＠{name}様", f"_@{name}、", f"\n@{name}"):
        spans = [body[one.start : one.end] for one in find_mentions(body, [person], author)]
        assert any(fold_handle(span) == f"@{fold_handle(name)}" for span in spans)


@given(bodies)
def test_what_is_highlighted_always_reads_as_the_handle(body: str) -> None:
    ben, cho = Agent(pk=1, username="ben"), Agent(pk=2, username="cho")
    spans = find_mentions(body, [ben, cho], Agent(pk=3, username="ana"))
    written = [unicodedata.normalize("NFKC", body[one.start : one.end]).lower() for one in spans]
    assert written == ["@ben" if one.agent_id == 1 else "@cho" for one in spans]
    assert all(one.end <= other.start for one, other in pairwise(spans))


@compared
@given(bodies)
def test_the_menu_opens_where_a_handle_would_count(page_scripts: PageScripts, body: str) -> None:
    typed = page_scripts.call("composer/mentions.js", "typedMention", f"{body}@b")
    found = find_mentions(f"{body}@b", [Agent(pk=1, username="b")], Agent(username="ana"))
    assert (typed is not None) == any(one.start == len(body) for one in found)
    assert typed is None or typed == {"letters": "b", "length": 2}


def test_only_the_other_active_members_can_be_mentioned(cast: Cast) -> None:
    assert mentionable_agents(cast.front_desk, cast.ana) == [cast.ben, cast.cho]
    Agent.objects.filter(pk=cast.cho.pk).update(is_active=False)
    assert mentionable_agents(cast.front_desk, cast.ana) == [cast.ben]
    assert mentionable_agents(cast.anas_line, cast.ana) == []


@pytest.mark.parametrize("letters", ["", "b", "BEN", "oka", "Öka", "ok"])
def test_any_word_of_the_name_narrows_the_menu(letters: str) -> None:
    ben = Agent(username="ben", display_name="Ben Okafor")
    assert match_agents([ben], letters) == [ben]


@pytest.mark.parametrize("letters", ["en", "kafor", "ben ok4", "cho"])
def test_a_word_narrows_by_its_beginning_only(letters: str) -> None:
    assert match_agents([Agent(username="ben", display_name="Ben Okafor")], letters) == []


def test_accents_do_not_matter() -> None:
    zoe = Agent(username="zoe.b", display_name="Zoë Brontë")
    assert (
        match_agents([zoe], "zoe")
        == match_agents([zoe], "BRONTE")
        == match_agents([zoe], "b")
        == [zoe]
    )


def test_the_menu_offers_the_other_members(cast: Cast) -> None:
    address = f"/threads/{cast.thread().pk}/mentions/"
    answer = client_of(cast.ana).get(address).json()
    assert answer["me"] == "ana"
    assert [(m["handle"], m["name"]) for m in answer["members"]] == [
        ("ben", "Ben Okafor"),
        ("cho", "Cho Park"),
    ]
    narrowed = client_of(cast.ana).get(address, {"q": "oka"}).json()
    assert [m["handle"] for m in narrowed["members"]] == ["ben"]


def test_outsiders_cannot_ask_for_the_members(cast: Cast) -> None:
    address = f"/threads/{cast.thread().pk}/mentions/"
    assert client_of(cast.dov).get(address).status_code == 404
    assert client_of(cast.admin).get(address).status_code == 404
    assert client_of(cast.ana).get("/threads/999999/mentions/").status_code == 404
    assert client_of(cast.ana).post(address).status_code == 405
    assert client_of(cast.ana).get(address, {"q": "x" * 151}).status_code == 422


def test_a_mention_makes_the_message_internal_whatever_the_form_said(cast: Cast) -> None:
    thread = cast.thread()
    message = cast.answer(thread, "Can you take this, @ben?")
    assert (message.kind, message.state) == ("internal", "")
    assert message.mentions == [[19, 23, cast.ben.pk]]
    assert Notification.objects.get(message=message, agent=cast.ben).reason == "mention"


@pytest.mark.parametrize("body", ["Write to info@ben.example", "@dov has it", "@ana was here"])
def test_addresses_strangers_and_oneself_are_no_mentions(cast: Cast, body: str) -> None:
    message = cast.answer(cast.thread(), body)
    assert (message.kind, message.mentions) == ("outbound", [])
    assert not Notification.objects.filter(message=message, reason="mention").exists()
    assert not Notification.objects.filter(message=message, agent=cast.dov).exists()


def test_a_member_who_joins_later_is_not_mentioned_after_the_fact(cast: Cast) -> None:
    thread = cast.thread()
    message = cast.answer(thread, "@dov knows it")
    add_member(inbox=cast.front_desk, agent=cast.dov, changed_by=cast.admin)
    assert b"<mark" not in client_of(cast.dov).get(f"/threads/{thread.pk}/").content
    message.refresh_from_db()
    assert message.kind == "outbound"


def get_thread_page(cast: Cast, agent: Agent, message: Message) -> str:
    return client_of(agent).get(f"/threads/{message.thread_id}/").content.decode()


def test_the_mentioned_name_is_marked_more_strongly_for_oneself(cast: Cast) -> None:
    message = cast.answer(cast.thread(), "@ben or @Cho, please")
    assert (
        '<mark class="mention me">@ben</mark> or <mark class="mention">@Cho</mark>'
        in get_thread_page(cast, cast.ben, message)
    )
    assert (
        '<mark class="mention">@ben</mark> or <mark class="mention me">@Cho</mark>'
        in get_thread_page(cast, cast.cho, message)
    )
    anas = get_thread_page(cast, cast.ana, message)
    assert '<mark class="mention">@ben</mark>' in anas
    assert "mention me" not in anas


def test_a_message_with_mentions_is_still_escaped(cast: Cast) -> None:
    message = cast.answer(cast.thread(), '<b>@ben</b>\n<img src=x onerror="a()">@cho &')
    shown = get_thread_page(cast, cast.ben, message)
    assert '&lt;b&gt;<mark class="mention me">@ben</mark>&lt;/b&gt;<br>&lt;img src=x' in shown
    assert "<img src=x" not in shown
    assert '<mark class="mention">@cho</mark> &amp;' in shown


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("@ben please", '<mark class="mention{}">@ben</mark> please'),
        ("So,\n\n  @ben  and <b>", 'So, <mark class="mention{}">@ben</mark> and &lt;b&gt;'),
        (f"{'x' * 158} @ben", "x" * 158),
    ],
)
def test_the_preview_marks_a_mention_more_strongly_for_that_person(
    cast: Cast, body: str, shown: str
) -> None:
    thread = cast.thread()
    address = f"/threads/{thread.pk}/messages/"
    key = "0b5d2b0e-4d1c-4d63-9d0d-5a2f5a3b6f10"
    client_of(cast.ana).post(address, {"body": body, "form_key": key, "is_internal": "true"})
    for agent, strength in ((cast.ana, ""), (cast.ben, " me"), (cast.cho, "")):
        for path in ("/", f"/inboxes/{cast.front_desk.pk}/"):
            assert shown.format(strength) in client_of(agent).get(path).content.decode()
