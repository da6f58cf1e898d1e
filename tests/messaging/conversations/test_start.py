"""Start a conversation: from which inbox, to whom, and what is said beside the fields."""

from __future__ import annotations

import re
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from django.http import HttpResponse
from procrastinate.contrib.django.models import ProcrastinateJob

from inboxes.actions import add_member, remove_member
from inboxes.models import Agent, Inbox
from messaging.contacts.describing import ContactValues, describe_contact
from messaging.models import Message, Number
from messaging.outbound.opt_outs import record_opt_out
from messaging.outbound.starting import start_conversation
from tests.cast import ANAS_LINE, CUSTOMER, DISPATCH, FRONT_DESK, Cast, client_of
from tests.markup import read_text, read_words
from threads.actions import save_draft
from threads.models import Contact, Thread, ThreadState
from threads.rows import states_by_thread

NEW = "+12025550199"
LANDLINE = "+442079460958"


def start_page(agent: Agent, path: str = "/start/") -> str:
    response = client_of(agent).get(path)
    assert response.status_code == 200
    return str(response.content.decode())


def inbox_options(html: str) -> list[tuple[str, bool]]:
    """Return the entries of *From*, and which one is selected."""
    select = html.split('<select id="start-from"')[1].split("</select>")[0]
    found = re.findall(r'<option\s+value="[^"]*"([^>]*)>([^<]+)</option>', select)
    return [(label, marks.endswith("selected")) for marks, label in found]


def send_first_text(
    agent: Agent, inbox: Inbox | None, to: str, body: str = "Hello", **more: Any
) -> Any:
    form = {"inbox": inbox.pk if inbox else "", "to": to, "body": body, "form_key": uuid.uuid4()}
    return client_of(agent).post("/start/", form | more)


def field_error(response: HttpResponse, field: str) -> str:
    """Return the sentence beside a field, to which the field must refer."""
    html = response.content.decode()
    assert response.status_code == 422
    found = re.search(rf'<p class="field-error" id="start-{field}-error">([^<]+)</p>', html)
    assert found is not None, field
    control = re.search(rf'<(?:select|input|textarea) id="start-{field}"[^>]*>', html)
    assert control is not None
    assert 'aria-invalid="true"' in control[0]
    assert f"start-{field}-error" in control[0].split("aria-describedby=")[1]
    return found[1].replace("&#x27;", "'")


# From


def test_the_default_did_is_preset_under_the_agents_name(cast: Cast) -> None:
    assert inbox_options(start_page(cast.ana)) == [
        ("Ana Ruiz", True),
        ("Dispatch", False),
        ("Front Desk", False),
    ]


def test_without_a_did_one_inbox_is_preset(cast: Cast) -> None:
    assert inbox_options(start_page(cast.cho)) == [("Front Desk", True)]


def test_without_a_did_and_with_several_one_must_be_chosen(cast: Cast) -> None:
    assert inbox_options(start_page(cast.ben)) == [
        ("Choose an inbox", False),
        ("Dispatch", False),
        ("Front Desk", False),
    ]
    answer = send_first_text(cast.ben, None, NEW)
    assert field_error(answer, "from") == "Choose who it's from."
    assert NEW in answer.content.decode()


def test_with_neither_the_page_says_whom_to_ask(cast: Cast) -> None:
    html = start_page(cast.dov)
    assert "Ask an administrator" in html
    assert "<select" not in html
    assert "administration" in start_page(cast.admin)
    assert send_first_text(cast.dov, cast.front_desk, NEW).status_code == 422
    assert not Message.objects.exists()


def test_a_line_without_a_number_is_no_did(cast: Cast) -> None:
    Number.objects.filter(inbox=cast.anas_line).delete()
    assert inbox_options(start_page(cast.ana))[0] == ("Choose an inbox", False)


def test_from_inside_an_inbox_that_one_is_preset(cast: Cast) -> None:
    html = start_page(cast.ana, f"/start/?inbox={cast.dispatch.pk}")
    assert ("Dispatch", True) in inbox_options(html)
    assert 'aria-label="Threads"' in html


def test_foreign_and_missing_inboxes_are_the_same(cast: Cast) -> None:
    for path in ("/start/?inbox={}", "/start/?inbox=x{}"):
        answers = [
            client_of(cast.cho).get(path.format(key))
            for key in (cast.dispatch.pk, cast.anas_line.pk, 2**40)
        ]
        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.content for answer in answers}) == 1
    said = [
        field_error(send_first_text(cast.cho, place, NEW), "from")
        for place in (cast.dispatch, Inbox(pk=2**40))
    ]
    assert said == ["You can't send from this inbox anymore. Choose another one."] * 2
    assert not Message.objects.exists()


def test_whoever_was_removed_meanwhile_sends_nothing(cast: Cast) -> None:
    remove_member(inbox=cast.front_desk, agent=cast.cho, changed_by=None)
    assert send_first_text(cast.cho, cast.front_desk, NEW).status_code == 422
    assert not Thread.objects.exists()


# To


@pytest.mark.parametrize(
    "written",
    ["+12025550199", "(202) 555-0199", "202.555.0199", "1 202 555 0199", " tel:+1-202-555-0199 "],
)
def test_any_usual_notation_of_a_number_is_accepted(cast: Cast, written: str) -> None:
    answer = send_first_text(cast.ben, cast.dispatch, written)
    thread = Thread.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == f"/threads/{thread.pk}/"
    assert (thread.contact.address, thread.our_address) == (NEW, DISPATCH)
    message = Message.objects.get()
    assert (message.kind, message.state, message.author) == ("outbound", "queued", cast.ben)
    assert ProcrastinateJob.objects.get().args == {"thread_id": thread.pk}


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("", "Enter a phone number."),
        ("nobody", "That isn't a phone number"),
        ("12345", "That isn't a valid number"),
        ("555-0199", "That isn't a valid number"),
        ("+1 999 999 9999", "That isn't a valid number"),
        ("+12025550199 ext", "That isn't a phone number"),
        ("9" * 300, "too long"),
        ("+1202\x005550199", "That isn't a phone number"),
        (FRONT_DESK, "(202) 555-0110 is one of our own numbers"),
        ("202 555 0112", "(202) 555-0112 is one of our own numbers"),
    ],
)
def test_a_bad_number_is_explained_beside_the_field_and_nothing_is_lost(
    cast: Cast, written: str, sentence: str
) -> None:
    answer = send_first_text(cast.ana, cast.dispatch, written, "Kept <words>")
    assert sentence in field_error(answer, "to")
    html = answer.content.decode()
    assert ("Dispatch", True) in inbox_options(html)
    assert "Kept &lt;words&gt;</textarea>" in html
    assert re.search(r'<input id="start-to"[^>]*autofocus', html)
    assert not Message.objects.exists()
    assert not Thread.objects.exists()


def test_a_short_code_can_be_texted_where_it_is_known(cast: Cast) -> None:
    thread = cast.thread(sender="72645")
    assert send_first_text(cast.ana, cast.front_desk, "72645").status_code == 302
    assert thread.messages.count() == 2
    assert send_first_text(cast.ana, cast.anas_line, "72646").status_code == 422


def test_the_name_of_a_known_contact_is_told(cast: Cast) -> None:
    cast.thread()
    Contact.objects.filter(address=CUSTOMER).update(name="Petra Novak")

    def about(inbox: Inbox | None, agent: Agent = cast.ana) -> str:
        form = {"inbox": inbox.pk if inbox else "", "to": "(202) 555-0177"}
        return read_text(client_of(agent).get("/start/to/", form)).strip()

    assert about(cast.front_desk).startswith("Petra Novak Front Desk already has")
    assert about(cast.dispatch).startswith("Front Desk knows them as Petra Novak")
    assert about(None).startswith("Front Desk knows them as Petra Novak")
    Contact.objects.create(
        inbox=cast.dispatch, address=CUSTOMER, raw_address=CUSTOMER, kind="phone", name="Petra"
    )
    assert about(cast.dispatch).startswith("Petra Front Desk also texts")
    assert "Petra" not in about(None, cast.dov)


def test_a_name_cannot_be_texted_even_where_it_is_known(cast: Cast) -> None:
    cast.thread(sender="PARCELBOX")
    assert "isn't a phone number" in field_error(
        send_first_text(cast.ana, cast.front_desk, "PARCELBOX"), "to"
    )


def test_an_opt_out_is_explained_beside_the_field(cast: Cast) -> None:
    record_opt_out(our_address=FRONT_DESK, address=NEW)
    answer = send_first_text(cast.ana, cast.front_desk, NEW, "Kept")
    assert "opted out of texts from (202) 555-0110" in field_error(answer, "to")
    assert not Thread.objects.exists()
    assert send_first_text(cast.ana, cast.dispatch, NEW).status_code == 302


def test_a_thread_whose_number_moved_is_refused_here_too(cast: Cast) -> None:
    thread = cast.thread()
    Number.objects.filter(inbox=cast.front_desk).update(address="+12025550118")
    answer = send_first_text(cast.ana, cast.front_desk, CUSTOMER)
    assert "no longer belongs to this inbox" in field_error(answer, "to")
    assert thread.messages.count() == 1


def test_an_inbox_without_a_number_says_so(cast: Cast) -> None:
    Number.objects.filter(inbox=cast.front_desk).delete()
    assert "has no number to text from" in field_error(
        send_first_text(cast.ana, cast.front_desk, NEW), "from"
    )
    cast.account.is_active = False
    cast.account.save()
    assert "is turned off" in field_error(send_first_text(cast.ana, cast.dispatch, NEW), "from")


# The message


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("", "Write something first."),
        (" \n ", "Write something first."),
        ("\u200b\u2800", "Write something first."),
        ("x" * 1601, "This is too long"),
        ("a\x00b", "can't be sent"),
        ("Ask @ben about it", "Remove @ben to send this."),
    ],
)
def test_a_bad_text_is_explained_beside_the_field(cast: Cast, body: str, sentence: str) -> None:
    answer = send_first_text(cast.ana, cast.dispatch, NEW, body)
    assert sentence in field_error(answer, "body")
    assert NEW in answer.content.decode()
    assert not Thread.objects.exists()


def test_the_same_form_twice_is_one_message(cast: Cast) -> None:
    key = uuid.uuid4()
    places = [
        send_first_text(cast.ana, cast.dispatch, NEW, form_key=key)["Location"] for _ in range(3)
    ]
    assert len(set(places)) == 1
    assert Message.objects.count() == 1
    assert ProcrastinateJob.objects.count() == 1


# The thread


def test_it_joins_the_thread_and_keeps_what_was_drafted_there(cast: Cast) -> None:
    thread = cast.thread()
    save_draft(thread=thread, agent=cast.ana, body="Half a", is_internal=True)
    ThreadState.objects.filter(agent=cast.ana).update(hidden_id=2**40)
    answer = send_first_text(cast.ana, cast.front_desk, CUSTOMER, "Joined")
    assert answer["Location"] == f"/threads/{thread.pk}/"
    assert Thread.objects.count() == 1
    state = states_by_thread(cast.ana, [thread])[thread.pk]
    assert (state.draft_body, state.draft_is_internal) == ("Half a", True)
    thread.refresh_from_db()
    assert state.last_read_id == thread.last_message_id == thread.last_text_id


def test_a_hidden_thread_comes_back(cast: Cast) -> None:
    newest = cast.text_in("The last that was shown")
    thread = newest.thread
    for agent in (cast.ana, cast.ben):
        ThreadState.objects.create(agent=agent, thread=thread, hidden_id=newest.pk, seq=1)
    send_first_text(cast.ana, cast.front_desk, CUSTOMER, "Back again")
    for agent in (cast.ana, cast.ben):
        html = client_of(agent).get(f"/inboxes/{cast.front_desk.pk}/").content.decode()
        assert f'id="thread-{thread.pk}"' in html


def test_the_thread_stands_at_the_top_for_every_member(cast: Cast) -> None:
    cast.thread()
    send_first_text(cast.ana, cast.front_desk, NEW)
    thread = Thread.objects.get(contact__address=NEW)
    for agent in (cast.ana, cast.ben, cast.cho):
        html = client_of(agent).get(f"/inboxes/{cast.front_desk.pk}/").content.decode()
        assert re.findall(r'id="thread-(\d+)"', html)[0] == str(thread.pk)


@pytest.mark.django_db(transaction=True)
def test_two_who_start_with_one_number_at_once_share_a_thread(cast: Cast) -> None:
    start = threading.Barrier(2, timeout=10)

    def begin(agent: Agent) -> int:
        try:
            start.wait()
            return start_conversation(
                inbox=cast.front_desk,
                author=agent,
                address=NEW,
                body=f"{agent} here",
                form_key=uuid.uuid4(),
            ).thread_id
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        threads = {job.result(20) for job in [pool.submit(begin, a) for a in (cast.ana, cast.ben)]}
    assert len(threads) == 1
    assert Thread.objects.count() == Contact.objects.count() == 1
    assert sorted(Message.objects.values_list("position", flat=True)) == [1, 2]


# What is known of the number


def about_number(agent: Agent, to: str, inbox: Inbox | None = None) -> str:
    query = {"to": to} | ({"inbox": inbox.pk} if inbox else {})
    response = client_of(agent).get("/start/to/", query)
    assert response.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


@pytest.mark.parametrize("number", ["+12025550126", "+18005550199", "+19025550126"])
def test_a_number_of_plus_one_gets_no_warning_as_nobody_can_tell(cast: Cast, number: str) -> None:
    assert about_number(cast.ana, number, cast.dispatch) == ""


def test_a_landline_gets_a_warning_and_the_text(cast: Cast) -> None:
    assert "probably can't receive texts" in about_number(cast.ana, LANDLINE, cast.dispatch)
    assert about_number(cast.ana, "+447400123456", cast.dispatch) == ""
    assert about_number(cast.ana, NEW, cast.dispatch) == ""
    client = client_of(cast.ana)
    form = {"inbox": cast.dispatch.pk, "to": LANDLINE, "body": "Hi", "form_key": uuid.uuid4()}
    opened = read_words(client.post("/start/", form, follow=True))
    assert "probably can't receive texts" in opened
    assert Message.objects.count() == 1
    form |= {"form_key": uuid.uuid4(), "checked": LANDLINE}
    again = read_words(client.post("/start/", form, follow=True))
    assert "probably can't receive texts" not in again


def test_another_inbox_of_the_contact_is_named_to_agents_who_may_see_it(cast: Cast) -> None:
    there = cast.thread(to=DISPATCH)
    cast.thread(to=ANAS_LINE)
    told = about_number(cast.ben, CUSTOMER, cast.front_desk)
    assert told == "Dispatch also texts with this number: open that conversation ."
    link = client_of(cast.ben).get("/start/to/", {"to": CUSTOMER}).content.decode()
    assert f'href="/threads/{there.pk}/"' in link
    assert "Ana Ruiz also texts" in about_number(cast.ana, CUSTOMER, cast.front_desk)
    assert about_number(cast.cho, CUSTOMER, cast.front_desk) == ""
    assert "Your text joins" in about_number(cast.ben, CUSTOMER, cast.dispatch)
    assert send_first_text(cast.ben, cast.front_desk, CUSTOMER).status_code == 302


def test_an_opt_out_is_shown_before_anything_is_written(cast: Cast) -> None:
    record_opt_out(our_address=FRONT_DESK, address=NEW)
    assert "opted out of texts" in about_number(cast.ana, NEW, cast.front_desk)
    assert about_number(cast.ana, NEW, cast.dispatch) == ""
    assert about_number(cast.dov, NEW, cast.front_desk) == ""


def test_contacts_are_suggested_by_name_and_by_digits(cast: Cast) -> None:
    thread = cast.thread()
    describe_contact(contact=thread.contact, values=ContactValues(name="Zoë Márquez"), by=cast.ana)
    for typed in ("zoe", "marq", "MÁRQ zo", "555-01", "0177"):
        assert "(202) 555-0177" in about_number(cast.cho, typed), typed
    for typed in ("z", "55", "nobody", "marqx", "", "' | !("):
        assert about_number(cast.cho, typed) == "", typed
    assert about_number(cast.dov, "zoe") == ""
    cast.thread(sender="+12025550133", to=DISPATCH)
    assert about_number(cast.cho, "0133") == ""


def test_the_page_makes_as_few_queries_with_many_contacts(cast: Cast) -> None:
    for index in range(12):
        cast.thread(sender=f"+120255502{index:02d}")
    assert about_number(cast.cho, "555").count("(202)") == 6


def test_the_messages_view_leads_there(cast: Cast) -> None:
    top = client_of(cast.ana).get("/").content.decode()
    link = re.search(r'<a class="start-link" href="/start/"[^>]*>', top)
    assert link is not None
    assert 'data-shortcut="n"' in link[0]
    inside = client_of(cast.ana).get(f"/inboxes/{cast.dispatch.pk}/").content.decode()
    assert f'href="/start/?inbox={cast.dispatch.pk}" aria-label="Start a conversation"' in inside


@pytest.mark.parametrize("path", ["/start/", "/start/to/"])
def test_strangers_are_sent_to_sign_in_and_other_methods_are_refused(
    cast: Cast, path: str
) -> None:
    from django.test import Client

    assert Client().get(path)["Location"].startswith("/sign-in/?next=")
    assert client_of(cast.ana).put(path).status_code == 405


def test_a_new_member_may_send_from_there(cast: Cast) -> None:
    add_member(inbox=cast.dispatch, agent=cast.cho, changed_by=None)
    assert ("Dispatch", False) in inbox_options(start_page(cast.cho))
