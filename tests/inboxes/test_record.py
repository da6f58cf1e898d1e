"""Constraints on inboxes, memberships and counters, tried with plain SQL and with whole saves."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from inboxes import counters
from inboxes.actions import add_member, remove_member
from inboxes.models import Agent, Inbox, Membership, MembershipChange
from tests.cast import ANAS_LINE, Cast
from threads.models import Contact, Thread


def execute_sql(statement: str, *values: Any) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def test_a_personal_line_takes_no_member(cast: Cast) -> None:
    for agent in (cast.ben, cast.ana):
        with pytest.raises(IntegrityError, match="A personal line has no members"):
            execute_sql(
                "INSERT INTO inboxes_membership (inbox_id, agent_id, seq, created_at)"
                " VALUES (%s, %s, 0, now())",
                cast.anas_line.pk,
                agent.pk,
            )


def test_a_membership_cannot_be_moved_to_a_personal_line(cast: Cast) -> None:
    with pytest.raises(IntegrityError, match="A personal line has no members"):
        execute_sql("UPDATE inboxes_membership SET inbox_id = %s", cast.anas_line.pk)


def test_an_inbox_with_members_cannot_become_personal(cast: Cast) -> None:
    with pytest.raises(IntegrityError, match="cannot become a personal line"):
        execute_sql(
            "UPDATE inboxes_inbox SET owner_id = %s WHERE id = %s",
            cast.dov.pk,
            cast.front_desk.pk,
        )


def test_an_agent_has_one_personal_line_and_one_membership_in_an_inbox(cast: Cast) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Inbox.objects.create(name="Another line", owner=cast.ana)
    with pytest.raises(IntegrityError, match="agent_is_a_member_once"), transaction.atomic():
        Membership.objects.create(inbox=cast.front_desk, agent=cast.ana)


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE inboxes_inbox SET name = ''", "inbox_has_a_name"),
        ("UPDATE inboxes_inbox SET name = 'Same'", "shared_inbox_name_is_unique"),
        ("UPDATE inboxes_agent SET display_name = ''", "agent_has_a_display_name"),
        ("UPDATE threads_thread SET priority = 'most'", "thread_priority_is_known"),
        ("UPDATE threads_contact SET address = ''", "contact_has_an_address"),
    ],
)
def test_the_database_refuses_nonsense(cast: Cast, statement: str, constraint: str) -> None:
    cast.thread()
    with pytest.raises(IntegrityError, match=constraint):
        execute_sql(statement)


def test_there_is_one_thread_for_an_inbox_and_a_contact(cast: Cast) -> None:
    thread = cast.thread()
    again = Contact(inbox=thread.inbox, address=thread.contact.address, kind="phone")
    with (
        pytest.raises(IntegrityError, match="contact_is_known_once_in_an_inbox"),
        transaction.atomic(),
    ):
        again.save()
    with pytest.raises(IntegrityError), transaction.atomic():
        Thread.objects.create(inbox=thread.inbox, contact=thread.contact, our_address="x", seq=1)
    other = cast.thread(to=ANAS_LINE)
    assert other.contact.address == thread.contact.address
    assert other != thread


def test_a_stale_save_of_a_whole_row_leaves_the_counters_alone(cast: Cast) -> None:
    cast.thread()
    stale_inbox = Inbox.objects.get(pk=cast.front_desk.pk)
    stale_agent = Agent.objects.get(pk=cast.ana.pk)
    stale_thread = Thread.objects.get()
    newest = cast.text_in("Newer")
    with transaction.atomic():
        agent_seq = counters.next_agent_seq(cast.ana.pk)
    stale_inbox.name = "Reception"
    stale_inbox.save()
    stale_agent.display_name = "Ana R."
    stale_agent.save()
    stale_thread.save()

    inbox, thread = Inbox.objects.get(pk=stale_inbox.pk), Thread.objects.get()
    assert (inbox.name, inbox.seq, inbox.last_message_id) == ("Reception", newest.seq, newest.pk)
    assert (inbox.last_excerpt, thread.last_excerpt) == ("Newer", "Newer")
    assert (thread.message_count, thread.seq) == (2, newest.seq)
    agent = Agent.objects.get(pk=stale_agent.pk)
    assert agent.display_name == "Ana R."
    assert agent.seq >= agent_seq


def test_a_rolled_back_change_takes_no_number(cast: Cast) -> None:
    before = Inbox.objects.get(pk=cast.front_desk.pk).seq
    with transaction.atomic():
        assert counters.next_inbox_seq(cast.front_desk.pk) == before + 1
        transaction.set_rollback(True)
    assert Inbox.objects.get(pk=cast.front_desk.pk).seq == before


def test_counters_of_several_agents_are_taken_together(cast: Cast) -> None:
    before = {a.pk: a.seq for a in (cast.ana, cast.ben)}
    for agent in Agent.objects.filter(pk__in=before):
        before[agent.pk] = agent.seq
    with transaction.atomic():
        taken = counters.next_agent_seqs([cast.ben.pk, cast.ana.pk, cast.ben.pk])
    assert taken == {pk: seq + 1 for pk, seq in before.items()}
    with pytest.raises(Agent.DoesNotExist), transaction.atomic():
        counters.next_agent_seqs([cast.ana.pk, 2**62])


def test_adding_and_removing_a_member_is_recorded_once(cast: Cast) -> None:
    MembershipChange.objects.all().delete()
    for _ in range(2):
        add_member(inbox=cast.front_desk, agent=cast.dov, changed_by=cast.admin)
    for _ in range(2):
        remove_member(inbox=cast.front_desk, agent=cast.dov, changed_by=None)
    changes = MembershipChange.objects.order_by("pk")
    assert [(c.kind, c.agent, c.inbox, c.changed_by) for c in changes] == [
        ("added", cast.dov, cast.front_desk, cast.admin),
        ("removed", cast.dov, cast.front_desk, None),
    ]
    assert not cast.dov.memberships.exists()


def test_every_change_of_a_membership_advances_the_agents_counter(cast: Cast) -> None:
    def seq() -> int:
        return Agent.objects.get(pk=cast.dov.pk).seq

    steps = [seq()]
    membership = add_member(inbox=cast.front_desk, agent=cast.dov, changed_by=None)
    steps.append(seq())
    assert membership.seq == steps[-1]
    remove_member(inbox=cast.front_desk, agent=cast.dov, changed_by=None)
    steps.append(seq())
    assert steps == sorted(set(steps))
