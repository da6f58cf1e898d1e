"""Actions on memberships and inboxes, called by Django admin and by set-up commands."""

from __future__ import annotations

from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.db import connection, transaction
from django.dispatch import Signal

from inboxes import bell, counters
from inboxes.models import Agent, Inbox, Membership, MembershipChange

# Both are sent in the transaction of the change. `agent` has left `inbox`, and no agent is locked
# yet, so that a receiver may take the inbox's counter:
membership_ended = Signal()
# `agent` can do nothing any more:
agent_deactivated = Signal()

LAST_ADMINISTRATOR = "Somebody has to be left who may use the administration."


@transaction.atomic
def add_member(*, inbox: Inbox, agent: Agent, changed_by: Agent | None) -> Membership:
    """Make an agent a member, unless they are one; their open pages gain the inbox."""
    existing = Membership.objects.filter(inbox=inbox, agent=agent).first()
    if existing is not None:
        return existing
    seq = counters.next_agent_seq(agent.pk)
    membership = Membership.objects.create(inbox=inbox, agent=agent, seq=seq)
    _record_change(MembershipChange.Kind.ADDED, inbox=inbox, agent=agent, changed_by=changed_by)
    bell.ring_agent(agent.pk, seq)
    return membership


@transaction.atomic
def remove_member(*, inbox: Inbox, agent: Agent, changed_by: Agent | None) -> None:
    """End an agent's membership, if there is one; their open pages lose the inbox."""
    deleted, _ = Membership.objects.filter(inbox=inbox, agent=agent).delete()
    if not deleted:
        return
    membership_ended.send(sender=Membership, inbox=inbox, agent=agent)
    seq = counters.next_agent_seq(agent.pk)
    _record_change(MembershipChange.Kind.REMOVED, inbox=inbox, agent=agent, changed_by=changed_by)
    bell.ring_agent(agent.pk, seq)


@transaction.atomic
def announce_agent(*, agent: Agent) -> None:
    """Make the agent's open pages check their session, their account and their inboxes again."""
    bell.ring_agent(agent.pk, counters.next_agent_seq(agent.pk))


class CannotDeactivate(Exception):
    """Administrators don't deactivate themselves: somebody has to be left who can undo it."""


class LastAdministrator(CannotDeactivate):
    """Nobody would be left who may use the administration."""


def keep_an_administrator(*, but: Agent) -> None:
    """Hold that another active administrator is left, until the transaction of the caller ends.

    Call it before taking the rights of `but`. Raises LastAdministrator. Two administrators who do
    so to each other wait here, and the second one is refused.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('administrators', 7402))")
    if not Agent.objects.filter(is_staff=True, is_active=True).exclude(pk=but.pk).exists():
        raise LastAdministrator


@transaction.atomic
def deactivate_agent(*, agent: Agent, changed_by: Agent) -> None:
    """Let the agent sign in no more, and end their sessions. Raises CannotDeactivate.

    Memberships, messages and their personal line stay. Their conversations become nobody's.
    """
    if agent == changed_by:
        raise CannotDeactivate
    keep_an_administrator(but=agent)
    agent.is_active = False
    agent.save(update_fields=["is_active"])
    agent_deactivated.send(sender=Agent, agent=agent)


@transaction.atomic
def reactivate_agent(*, agent: Agent) -> None:
    """Let a deactivated agent sign in again, with the password and the inboxes they had.

    No session comes back.
    """
    agent.is_active = True
    agent.save(update_fields=["is_active"])


def change_password(*, agent: Agent, password: str, session: SessionBase) -> None:
    """Give the agent a new password. It ends all their sessions but the one that is given.

    The session's key stays, so that its open pages may connect again. Its part and the agent's are
    committed together: a page that checks in between would find itself signed out.
    """
    agent.set_password(password)
    with transaction.atomic():
        agent.save(update_fields=["password"])
        session[HASH_SESSION_KEY] = agent.get_session_auth_hash()
        session.save()


@transaction.atomic
def set_undo_seconds(*, agent: Agent, seconds: int) -> None:
    """Set how long the agent's texts can be taken back before they leave; 0 turns that off."""
    Agent.objects.filter(pk=agent.pk).update(undo_seconds=seconds)
    agent.undo_seconds = seconds


@transaction.atomic
def rename_agent(*, agent: Agent, display_name: str) -> None:
    """Give the agent another display name. Their open pages read it anew."""
    agent.display_name = display_name
    agent.save(update_fields=["display_name"])


def remember_locale(*, agent: Agent, language: str, time_zone: str) -> None:
    """Store what an agent's browser says of how and where they read times."""
    Agent.objects.filter(pk=agent.pk).update(language=language, time_zone=time_zone)
    agent.language, agent.time_zone = language, time_zone


@transaction.atomic
def announce_inbox(*, inbox: Inbox) -> None:
    """Make open pages draw the inbox again, after its name or its number changed."""
    bell.ring_inbox(inbox.pk, counters.next_inbox_seq(inbox.pk))


@transaction.atomic
def delete_inbox(*, inbox: Inbox, changed_by: Agent | None) -> None:
    """Delete an inbox that was never used. Raises ProtectedError for one with a history."""
    for membership in inbox.memberships.select_related("agent"):
        remove_member(inbox=inbox, agent=membership.agent, changed_by=changed_by)
    owner = inbox.owner
    inbox.delete()
    if owner is not None:
        announce_agent(agent=owner)


def _record_change(
    kind: MembershipChange.Kind, *, inbox: Inbox, agent: Agent, changed_by: Agent | None
) -> None:
    MembershipChange.objects.create(kind=kind, inbox=inbox, agent=agent, changed_by=changed_by)
