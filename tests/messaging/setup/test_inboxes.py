"""The inboxes get names and a member, colleagues get links, and the list says what is missing."""

from __future__ import annotations

import itertools
import re
from datetime import timedelta

import time_machine
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from inboxes.models import Agent, Inbox, MembershipChange, OneTimeLink
from messaging.models import CarrierAccount, Number
from messaging.setup.checklist import read_checklist
from tests.cast import Cast, client_of
from tests.markup import read_words
from tests.messaging.setup.conftest import ADA


def two_inboxes() -> tuple[Inbox, Inbox]:
    account = CarrierAccount.objects.create(carrier="twilio", name="Twilio")
    first, second = Inbox.objects.create(name="Front Desk"), Inbox.objects.create(name="Other")
    Number.objects.create(address="+12025550110", account=account, inbox=first)
    Number.objects.create(address="+12025550120", account=account, inbox=second)
    return first, second


def test_each_number_has_an_inbox_that_is_named_and_joined(ada: Client) -> None:
    first, second = two_inboxes()
    page = read_words(ada.get("/setup/inbox/"))
    assert "(202) 555-0110" in page
    assert page.count("checked") == 2
    form = {
        f"inbox-{first.pk}-name": "Reception",
        f"inbox-{first.pk}-joins": "on",
        f"inbox-{second.pk}-name": "Dispatch",
    }
    assert ada.post("/setup/inbox/", form)["Location"] == "/setup/colleagues/"
    assert set(Inbox.objects.values_list("name", flat=True)) == {"Reception", "Dispatch"}
    person = Agent.objects.get()
    assert [str(inbox) for inbox in Inbox.objects.visible_to(person)] == ["Reception"]
    assert MembershipChange.objects.get().changed_by == person
    assert read_checklist().find("inbox").todo == (
        "Nobody sees the texts of Dispatch: put members into it."
    )


def test_who_doesnt_want_to_read_an_inbox_leaves_it(ada: Client) -> None:
    first, second = two_inboxes()
    form = {f"inbox-{one.pk}-name": one.name for one in (first, second)}
    joins = {f"inbox-{one.pk}-joins": "on" for one in (first, second)}
    ada.post("/setup/inbox/", form | joins)
    person = Agent.objects.get()
    assert Inbox.objects.visible_to(person).count() == 2
    ada.post("/setup/inbox/", form | {f"inbox-{second.pk}-joins": "on"})
    assert [*Inbox.objects.visible_to(person)] == [second]
    assert MembershipChange.objects.filter(inbox=first).count() == 2


def test_without_a_number_an_inbox_can_be_made_and_the_number_finds_it_later(ada: Client) -> None:
    assert ada.get("/setup/")["Location"] == "/setup/carrier/"
    form = {"inbox-new-name": "Reception", "inbox-new-joins": "on"}
    assert ada.post("/setup/inbox/", form).status_code == 302
    ada.post("/setup/simulator/")
    number = Number.objects.select_related("inbox").get()
    assert (number.inbox.name, Inbox.objects.count()) == ("Reception", 1)
    assert read_checklist().find("inbox").is_done


def test_names_are_needed_and_differ(ada: Client) -> None:
    first, second = two_inboxes()

    def send(one: str, two: str) -> str:
        form = {f"inbox-{first.pk}-name": one, f"inbox-{second.pk}-name": two}
        answer = ada.post("/setup/inbox/", form)
        assert answer.status_code == 422
        return read_words(answer)

    assert "This field is required" in send("", "Dispatch")
    assert "can’t have the same name" in send("Reception", "reception")
    Inbox.objects.create(name="Sales")
    Inbox.objects.filter(name="Sales").update(created_at=first.created_at)
    assert "name" in send("x" * 200, "Dispatch")
    assert set(Inbox.objects.values_list("name", flat=True)) == {"Front Desk", "Other", "Sales"}


def test_colleagues_get_a_link_that_is_shown_once_and_can_be_taken_back(ada: Client) -> None:
    inbox, _ = two_inboxes()
    page = read_words(ada.post("/setup/colleagues/", {"name": "Ben Okafor"}, follow=True))
    [address] = set(re.findall(r"http://[^\s\"<]+/invitation/[\w-]+/", page))
    link = OneTimeLink.objects.get()
    assert (link.name, link.is_administrator) == ("Ben Okafor", False)
    assert inbox in link.inboxes.all()
    again = read_words(ada.get("/setup/colleagues/"))
    assert address not in again
    assert "Ben Okafor" in again
    assert read_checklist().find("colleagues").about == "1 invited"
    assert "Join your team" in read_words(Client().get(address.partition("8000")[2]))
    ada.post(f"/setup/colleagues/{link.pk}/take-back/")
    assert Client().get(address.partition("8000")[2]).status_code == 404
    assert read_checklist().find("colleagues").is_missing


def test_who_invites_an_administrator_confirms_that_it_is_them_and_then_sees_the_link(
    ada: Client,
) -> None:
    person = Agent.objects.get()
    with time_machine.travel(timezone.now() - timedelta(hours=1)):
        client = client_of(person)
    form = {"name": "Ben Okafor", "is_administrator": "on"}
    asked = client.post("/setup/colleagues/", form)["Location"]
    assert asked.startswith("/sign-in/confirm/")
    assert not OneTimeLink.objects.exists()
    back = client.post(asked, {"password": ADA["password"]})["Location"]
    assert back == "/setup/colleagues/"
    assert "/invitation/" in read_words(client.get(back))
    link = OneTimeLink.objects.get()
    assert link.is_administrator
    client.post(f"/setup/colleagues/{link.pk}/take-back/")
    trace = LogEntry.objects.filter(object_id=str(link.pk), user=person).order_by("pk")
    assert [entry.change_message for entry in trace] == ["Invited.", "Revoked."]


def test_a_colleague_who_is_no_administrator_is_invited_without_a_confirmation(
    ada: Client,
) -> None:
    with time_machine.travel(timezone.now() - timedelta(hours=1)):
        client = client_of(Agent.objects.get())
    client.post("/setup/colleagues/", {"name": "Ben Okafor"})
    assert not OneTimeLink.objects.get().is_administrator


def test_an_invitation_needs_a_name(ada: Client) -> None:
    assert ada.post("/setup/colleagues/", {"name": ""}).status_code == 422
    assert not OneTimeLink.objects.exists()


def test_the_end_says_how_to_text_and_what_is_missing(ada: Client) -> None:
    assert "Nothing can be texted yet" in read_words(ada.get("/setup/done/"))
    first, _ = two_inboxes()
    ada.post(
        "/setup/inbox/",
        {
            f"inbox-{first.pk}-name": "Front Desk",
            f"inbox-{first.pk}-joins": "on",
            f"inbox-{first.pk + 1}-name": "Other",
        },
    )
    page = read_words(ada.get("/setup/done/"))
    assert "text <strong>(202) 555-0110</strong> from your own phone" in page
    assert reverse("messaging:inbox", args=[first.pk]) in page
    assert "Invite your colleagues." in page


def test_every_step_can_be_skipped_left_and_opened_again(ada: Client) -> None:
    order = ["carrier", "numbers", "inbox", "colleagues", "done"]
    for name, following in itertools.pairwise(order):
        page = read_words(ada.get(f"/setup/{name}/"))
        assert re.search(rf'href="/setup/{following}/"[^>]*>\s*Skip for now', page), name
    # Another browser of hers goes on where she was: nothing depends on the first one.
    ada.post("/setup/simulator/")
    other = client_of(Agent.objects.get())
    assert other.get("/setup/")["Location"] == "/setup/inbox/"
    assert "Step 4 of 5, about one minute left" in read_words(other.get("/setup/inbox/"))
    assert "Back" in read_words(other.get("/setup/inbox/"))


def test_an_installation_in_use_has_nothing_missing(cast: Cast) -> None:
    checklist = read_checklist()
    assert checklist.is_complete
    assert checklist.next_step is None
    assert [step.name for step in checklist.steps] == [
        "administrator",
        "carrier",
        "numbers",
        "inbox",
        "colleagues",
    ]


def test_an_account_without_secrets_is_still_to_be_connected(cast: Cast) -> None:
    CarrierAccount.objects.update(encrypted_credentials="broken")
    step = read_checklist().find("carrier")
    assert step.todo == "Enter what Twilio needs for Twilio of the tests."
