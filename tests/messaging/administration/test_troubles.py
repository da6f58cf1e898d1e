"""The administration's first page says what is wrong, and stops saying so once it is mended."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from inboxes.actions import deactivate_agent, remove_member
from inboxes.invitations import actions as invitations
from inboxes.models import OneTimeLink
from messaging.administration import overview
from messaging.administration.troubles import MANY
from messaging.inbound.receiving import replay_webhook
from messaging.inbound.rejections import count_rejection
from messaging.models import (
    Attempt,
    CarrierAccount,
    EmailPreference,
    Message,
    Number,
    NumberConnection,
    Rejection,
    Webhook,
)
from messaging.tasks import compare_numbers
from tests.cast import SECRETS, Cast, client_of
from tests.clock import Clock, clock
from tests.far_end_client import FarEnd, far_end
from tests.markup import read_words
from tests.messaging.carrier_calls import post_webhook, text_fields
from tests.messaging.stepped_worker import carrier, end_waits, run_jobs

__all__ = ["carrier", "clock", "far_end"]

ELSEWHERE = "+12025550119"


@pytest.fixture(autouse=True)
def _a_worker_lives(db: None) -> None:
    """Give the sign of life that a running worker repeats every ten seconds."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now())")


def troubles(cast: Cast) -> dict[str, str]:
    """Return what the first page says is wrong: each name with the address of its list."""
    page = client_of(cast.admin).get("/admin/")
    return {trouble.name: trouble.url for trouble in page.context["troubles"]}


def words(cast: Cast) -> str:
    return read_words(client_of(cast.admin).get("/admin/"))


def rows(cast: Cast, address: str) -> int:
    """Follow the link to its list, and return how many rows are there."""
    count: int = client_of(cast.admin).get(address).context["cl"].result_count
    return count


def test_where_all_is_well_it_says_so(cast: Cast) -> None:
    assert "Nothing is wrong. Checked just now." in words(cast)


def test_a_request_with_a_wrong_signature_is_told_with_its_reason_for_a_day(
    cast: Cast, clock: Clock
) -> None:
    post_webhook(cast.account, text_fields("Forged"), token="wrong")
    assert Rejection.objects.get().reason in words(cast)
    assert troubles(cast)["rejected"].endswith(f"/{cast.account.pk}/change/")
    clock.advance(timedelta(days=1, minutes=1))
    assert "rejected" not in troubles(cast)


def test_refused_requests_of_two_accounts_lead_to_these_accounts(cast: Cast) -> None:
    other = CarrierAccount(carrier="twilio", name="Other")
    other.set_credentials(SECRETS)
    other.save()
    for account in (cast.account, other):
        count_rejection(account=account, reason="forged")
    CarrierAccount.objects.create(carrier="twilio", name="Third", is_active=False)
    assert rows(cast, troubles(cast)["rejected"]) == 2


def test_what_was_not_understood_is_told_until_it_is(cast: Cast) -> None:
    post_webhook(cast.account, text_fields("Hello?", to=ELSEWHERE))
    assert rows(cast, troubles(cast)["quarantine"]) == 1
    listed = read_words(client_of(cast.admin).get(troubles(cast)["quarantine"]))
    assert "Today, " in listed
    Number.objects.filter(inbox=cast.dispatch).update(address=ELSEWHERE)
    assert replay_webhook(webhook=Webhook.objects.get())
    assert "quarantine" not in troubles(cast)


def test_secrets_that_are_missing_or_unreadable_are_told_until_they_are_entered(
    cast: Cast,
) -> None:
    CarrierAccount.objects.update(encrypted_credentials="gAAAAnot-ours")
    assert "can't be decrypted with FIELD_KEYS" in words(cast)
    page = reverse("admin:messaging_carrieraccount_change", args=[cast.account.pk])
    assert troubles(cast)["accounts"] == page
    secrets = {f"credential_{name}": value for name, value in SECRETS.items()}
    form = {"name": cast.account.name, "is_active": "on", **secrets}
    client_of(cast.admin).post(page, form)
    assert "accounts" not in troubles(cast)
    cast.account.refresh_from_db()
    cast.account.set_credentials({"account_sid": "AC1"})
    cast.account.save()
    assert "missing: Auth token" in words(cast)


def test_a_self_test_that_found_a_problem_is_told(cast: Cast) -> None:
    CarrierAccount.objects.update(self_test=[{"level": "bad", "title": "Proxy", "words": "No"}])
    assert "its last self-test found a problem" in words(cast)
    CarrierAccount.objects.update(is_active=False)
    assert "accounts" not in troubles(cast)


def test_secrets_that_the_carrier_refuses_are_told_until_it_takes_a_text(
    cast: Cast, carrier: FarEnd
) -> None:
    carrier.plan({"kind": "unauthorised"})
    thread = cast.thread()
    cast.answer(thread, "Hello")
    run_jobs()
    assert Attempt.objects.get().error_class == "auth"
    assert "the carrier doesn't accept its secrets" in words(cast)
    cast.answer(thread, "Hello again")
    run_jobs()
    assert "accounts" not in troubles(cast)


def test_texts_that_wait_for_more_than_a_minute_are_told_until_they_leave(
    cast: Cast, carrier: FarEnd, clock: Clock
) -> None:
    cast.answer(cast.thread(), "Hello")
    assert "waiting" not in troubles(cast)
    clock.advance(timedelta(seconds=55))
    assert "waiting" not in troubles(cast)
    clock.advance(timedelta(seconds=10))
    assert rows(cast, troubles(cast)["waiting"]) == 1
    run_jobs()
    assert "waiting" not in troubles(cast)


def test_texts_that_a_carrier_puts_off_say_so(cast: Cast, carrier: FarEnd, clock: Clock) -> None:
    carrier.plan({"kind": "throttle", "retry_after": 120})
    cast.answer(cast.thread(), "Hello")
    run_jobs()
    clock.advance(timedelta(seconds=70))
    assert "they are tried again" in words(cast)
    end_waits()
    run_jobs()
    assert "waiting" not in troubles(cast)


def test_without_a_worker_it_says_so(cast: Cast) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE procrastinate_workers SET last_heartbeat = now() - '2 min'::interval"
        )
        assert "No worker is running" in words(cast)
        cursor.execute("DELETE FROM procrastinate_workers")
        assert "No worker is running" in words(cast)
        cursor.execute("INSERT INTO procrastinate_workers DEFAULT VALUES")
    assert "worker" not in troubles(cast)


def test_texts_that_failed_lately_and_those_of_people_who_opted_out_have_lists_of_their_own(
    cast: Cast, carrier: FarEnd, clock: Clock
) -> None:
    carrier.plan({"kind": "reject", "code": "21610"}, {"kind": "reject", "code": "30006"})
    cast.answer(cast.thread(), "To somebody who opted out")
    run_jobs()
    cast.answer(cast.thread(sender="+13035550123"), "To a landline")
    run_jobs()
    found = troubles(cast)
    assert rows(cast, found["opted_out"]) == 1
    assert rows(cast, found["failed"]) == 1
    clock.advance(timedelta(days=1, minutes=1))
    assert not {"failed", "opted_out"} & set(troubles(cast))


def test_a_number_that_somebody_routed_elsewhere_is_told_until_it_is_ours_again(
    cast: Cast,
) -> None:
    number = cast.front_desk.number
    watched = NumberConnection.objects.create(
        account=cast.account,
        address=number.address,
        carrier_id="PN1",
        state="changed",
        changed_at=timezone.now(),
    )
    assert "New texts to (202) 555-0110 do not reach Partyline" in words(cast)
    listed = reverse("admin:messaging_number_changelist") + "?watch=not_receiving"
    assert rows(cast, listed) == 1
    watched.state = "ours"
    watched.save()
    assert "not_receiving" not in troubles(cast)
    assert rows(cast, listed) == 0


def test_a_number_whose_connecting_broke_off_is_told_until_it_is_finished(cast: Cast) -> None:
    row = NumberConnection.objects.create(
        account=cast.account,
        address="+12025550177",
        carrier_id="PN1",
        claimed_at=timezone.now(),
    )
    assert "not_connected" not in troubles(cast), "somebody is at it"
    row.claimed_at = timezone.now() - timedelta(minutes=3)
    row.save()
    assert "Connecting a number isn't finished" in words(cast)
    found = client_of(cast.admin).get(troubles(cast)["not_connected"])
    assert found.status_code == 200
    row.state = "ours"
    row.save()
    assert "not_connected" not in troubles(cast)


def test_a_comparison_that_fails_is_told_until_one_succeeds(cast: Cast, carrier: FarEnd) -> None:
    Number.objects.exclude(inbox=cast.front_desk).delete()
    carrier.answer_questions_with(500)
    compare_numbers(timestamp=0)
    assert rows(cast, reverse("admin:messaging_number_changelist") + "?compared=failing") == 1
    assert "not_compared" in troubles(cast)
    carrier.answer_questions_with(200)
    Number.objects.get().comparison.delete()
    compare_numbers(timestamp=0)
    assert "not_compared" not in troubles(cast)


def test_an_inbox_that_nobody_reads_is_told(cast: Cast) -> None:
    deactivate_agent(agent=cast.ana, changed_by=cast.admin)
    assert "Ana Ruiz has a number, but nobody who may sign in." in words(cast)
    remove_member(inbox=cast.dispatch, agent=cast.ben, changed_by=cast.admin)
    assert "Ana Ruiz and Dispatch have a number" in words(cast)
    assert rows(cast, troubles(cast)["unattended"]) == 2


def test_agents_who_are_not_told_what_they_missed_are_told_of(cast: Cast) -> None:
    EmailPreference.objects.create(
        agent=cast.ben, minutes=5, told_until=0, error="The e-mail server can't be reached."
    )
    assert "Agents aren't told by e-mail what they missed" in words(cast)
    assert "missed_mail" in troubles(cast)
    EmailPreference.objects.update(error="")
    assert "missed_mail" not in troubles(cast)


def test_e_mail_that_is_not_sent_is_told(cast: Cast) -> None:
    link = invitations.invite(invited_by=cast.admin, name="Eve", email="eve@example.com").link
    OneTimeLink.objects.filter(pk=link.pk).update(
        email_state="failed", email_error="Connection refused"
    )
    assert "Connection refused" in words(cast)
    invitations.revoke(link=link, revoked_by=cast.admin)
    assert "mail" not in troubles(cast)


def test_the_first_page_takes_the_same_few_queries_however_much_is_wrong(cast: Cast) -> None:
    client = client_of(cast.admin)
    client.get("/admin/")
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            client.get("/admin/")
        counts.append(len(queries))
        for index in range(5):
            count_rejection(account=cast.account, reason=f"reason {index}")
            post_webhook(cast.account, text_fields("Hello?", to=ELSEWHERE, sid=f"SM{index}"))
            cast.answer(cast.thread(sender=f"+130355501{index:02}"), "Hello")
    assert counts[0] == counts[1]
    assert counts[1] <= 40


def test_many_are_counted_up_to_a_bound(cast: Cast) -> None:
    Webhook.objects.bulk_create(
        Webhook(account=cast.account, path="/", body=b"", digest=str(index), is_quarantined=True)
        for index in range(MANY + 1)
    )
    [quarantine] = overview.find_troubles()
    assert quarantine.count_words == "1,000+"


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
def test_texts_of_today_are_those_since_the_readers_midnight(cast: Cast, zone: str) -> None:
    cast.admin.time_zone = zone
    cast.admin.save()
    cast.text_in("Hello")
    cast.note(cast.thread(), "Not counted: it is no text")
    facts = client_of(cast.admin).get("/admin/").context["facts"]
    assert [fact.value for fact in facts if fact.name == "texts today"] == ["2"]
    Message.objects.update(created_at=timezone.now() - timedelta(days=1))
    facts = client_of(cast.admin).get("/admin/").context["facts"]
    assert [fact.value for fact in facts if fact.name == "texts today"] == ["0"]


def test_the_first_page_is_for_administrators_alone(cast: Cast) -> None:
    for path in ("/admin/", f"/admin/inboxes/agent/{cast.ben.pk}/deactivate/"):
        answer: Any = client_of(cast.ana).get(path)
        assert answer.status_code == 403
        assert "who isn’t an administrator" in read_words(answer)


@pytest.mark.parametrize("queue", ["default", "emails"])
def test_work_that_no_worker_takes_is_late_where_there_is_a_worker_for_it(
    cast: Cast, queue: str
) -> None:
    """E-mails are nobody's work where there is no server for them any more."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (task_name, queue_name, args)"
            " VALUES ('send_missed_email', %s, '{}')",
            [queue],
        )
        assert "jobs" not in troubles(cast)
        cursor.execute("UPDATE procrastinate_events SET at = now() - '10 min'::interval")
    assert ("jobs" in troubles(cast)) == (queue == "default")
