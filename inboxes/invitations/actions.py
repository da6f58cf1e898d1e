"""Actions on one-time links: invite, accept, reset a password, revoke."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.hashers import make_password
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from inboxes.actions import add_member
from inboxes.alike import fold, is_same_address
from inboxes.emails import sends_email
from inboxes.invitations import jobs, tokens
from inboxes.invitations.tokens import LinkIsOver, NewLink
from inboxes.models import Agent, Inbox, OneTimeLink
from inboxes.models.one_time_links import LIFETIME, OneTimeLinkQuerySet
from inboxes.sign_in import throttle
from inboxes.sign_in.adapters import SessionsAdapter

log = logging.getLogger(__name__)


LOST_PASSWORD_LIFETIME = timedelta(hours=1)
KEPT_FOR = timedelta(days=30)
LOST_PASSWORD_PAUSE = timedelta(minutes=5)  # From one e-mail to the next


class UsernameTaken(Exception):
    """Somebody has this username already, in whatever case."""


@transaction.atomic
def invite(
    *,
    invited_by: Agent,
    name: str = "",
    email: str = "",
    inboxes: Iterable[Inbox] = (),
    is_administrator: bool = False,
) -> NewLink:
    """Make an invitation; with an e-mail address it is sent there too, if e-mail is set up.

    The newcomer becomes a member of the shared inboxes. The address in the result is shown once:
    it can't be found out again. Raises PermissionDenied unless an administrator invites.
    """
    _require_administrator(invited_by)
    link = OneTimeLink(
        kind=OneTimeLink.Kind.INVITATION,
        made_by=invited_by,
        name=name.strip(),
        email=email.strip(),
        is_administrator=is_administrator,
    )
    return _make_link(link, lifetime=LIFETIME, inboxes=inboxes)


@transaction.atomic
def send_reset_link(
    *, agent: Agent, made_by: Agent, removes_second_factors: bool = False
) -> NewLink:
    """Make a link by which the agent chooses a new password; it ends older ones.

    It is sent to the agent's e-mail address, if they have one and e-mail is set up.
    `removes_second_factors` is for somebody who has lost them: they are removed when the link is
    used. Raises PermissionDenied unless an administrator makes it.
    """
    _require_administrator(made_by)
    older = OneTimeLink.objects.filter(agent=agent).exclude(made_by=None)
    _revoke_all(older, revoked_by=made_by)
    link = OneTimeLink(
        kind=OneTimeLink.Kind.RESET,
        made_by=made_by,
        agent=agent,
        password_mark=agent.get_session_auth_hash(),
        removes_second_factors=removes_second_factors,
    )
    return _make_link(link, lifetime=LIFETIME)


def request_reset_link(*, login: str) -> None:
    """Send a link to whoever has this username or e-mail address, if that is exactly one agent.

    The caller learns nothing of it, not even by the time that it takes.
    """
    agents = Agent.objects.filter(is_active=True).exclude(email="")
    username = Agent.normalize_username(login)
    found = list(agents.filter(Q(username=username) | Q(email__iexact=login)))
    by_name = [agent for agent in found if agent.username == username]
    by_address = [agent for agent in found if is_same_address(agent.email, login)]
    # Somebody may have a colleague's address as their username.
    first, second = (by_address, by_name) if "@" in login else (by_name, by_address)
    named = first or second
    with transaction.atomic():
        jobs.defer_lost_password_link(named[0].pk if len(named) == 1 else None)


@transaction.atomic
def send_lost_password_link(*, agent_id: int) -> None:
    """Send the link that an agent asked for, unless they just got one.

    Older ones keep working for their hour: the e-mails may arrive in any order.
    """
    agents = Agent.objects.select_for_update(no_key=True).filter(pk=agent_id, is_active=True)
    agent = agents.exclude(email="").first()
    if agent is None:
        return
    own = OneTimeLink.objects.filter(agent=agent, made_by=None).waiting()
    if own.filter(created_at__gt=timezone.now() - LOST_PASSWORD_PAUSE).exists():
        return
    link = OneTimeLink(
        kind=OneTimeLink.Kind.RESET,
        agent=agent,
        password_mark=agent.get_session_auth_hash(),
    )
    _make_link(link, lifetime=LOST_PASSWORD_LIFETIME)


@transaction.atomic
def renew(*, link: OneTimeLink, made_by: Agent) -> NewLink:
    """Make a new link like an older one, which stops working.

    Raises LinkIsOver if the older one was used, revoked or renewed meanwhile.
    """
    _require_administrator(made_by)
    unused = OneTimeLink.objects.filter(pk=link.pk, used_at=None)
    replaced = unused.select_for_update(of=("self",)).first()
    if replaced is None or replaced.revoked_at != link.revoked_at:
        raise LinkIsOver
    link = replaced
    unused.update(revoked_at=timezone.now(), revoked_by=made_by)
    if link.agent is not None:
        return send_reset_link(
            agent=link.agent,
            made_by=made_by,
            removes_second_factors=link.removes_second_factors,
        )
    return invite(
        invited_by=made_by,
        name=link.name,
        email=link.email,
        inboxes=link.inboxes.all(),
        is_administrator=link.is_administrator,
    )


@transaction.atomic
def revoke(*, link: OneTimeLink, revoked_by: Agent) -> None:
    """Take a link back, unless it is over already."""
    _revoke_all(OneTimeLink.objects.filter(pk=link.pk), revoked_by=revoked_by)


def accept(*, token: str, display_name: str, username: str, password: str) -> Agent:
    """Use an invitation: return the new agent, a member of the inboxes that it names.

    The password is taken as it is; the form has checked it. Raises LinkIsOver and UsernameTaken.
    """
    tokens.find_link(token)
    # Hashing may wait for its turn, and must not hold a transaction meanwhile.
    password_hash = make_password(password)
    with transaction.atomic():
        link = _lock_link(token, OneTimeLink.Kind.INVITATION)
        agent = _create_agent(
            username=Agent.normalize_username(username),
            display_name=display_name,
            email=link.email,
            is_staff=link.is_administrator,
            password=password_hash,
        )
        for inbox in link.inboxes.filter(owner=None).order_by("pk"):
            add_member(inbox=inbox, agent=agent, changed_by=link.made_by)
        _mark_used(link, agent)
    return agent


def use_reset_link(*, token: str, password: str) -> Agent:
    """Give the link's agent a new password, which ends all their sessions. Raises LinkIsOver.

    Their second factors stay, unless the administrator who made the link wanted them removed.
    """
    tokens.find_link(token)
    password_hash = make_password(password)
    with transaction.atomic():
        link = _lock_link(token, OneTimeLink.Kind.RESET)
        agent = link.agent
        if agent is None:
            raise LinkIsOver
        agent.password = password_hash
        agent.save(update_fields=["password"])
        SessionsAdapter().end_sessions(UserSession.objects.filter(user=agent))
        if link.removes_second_factors:
            Authenticator.objects.filter(user=agent).delete()
            log.warning(
                "The second factors of agent %s were removed by link %s.", agent.pk, link.pk
            )
        # Of a link that somebody asked for themselves, their mailbox may be known as well.
        if link.made_by is not None:
            throttle.forget_codes(agent.pk)
        _mark_used(link, agent)
        _revoke_all(OneTimeLink.objects.filter(agent=agent), revoked_by=agent)
    return agent


def delete_old_links() -> int:
    """Delete links that ended a month ago; return how many."""
    old = OneTimeLink.objects.filter(expires_at__lt=timezone.now() - KEPT_FOR)
    return old.delete()[1].get("inboxes.OneTimeLink", 0)


def is_username_taken(username: str, *, but_for: int | None = None) -> bool:
    """Return True if an agent (but for one) has this username, in whatever case or spelling."""
    others = Agent.objects.exclude(pk=but_for or 0)
    wanted = Agent.normalize_username(username)
    if others.filter(username__iexact=wanted).exists():
        return True
    names = others.values_list("username", flat=True)
    return any(fold(name) == fold(wanted) for name in names.iterator())


def _require_administrator(agent: Agent) -> None:
    if not (agent.is_active and agent.is_staff):
        raise PermissionDenied("Only administrators invite people and reset passwords.")


def _make_link(
    link: OneTimeLink, *, lifetime: timedelta, inboxes: Iterable[Inbox] = ()
) -> NewLink:
    token = tokens.make_token()
    link.token_hash = tokens.hash_token(token)
    link.expires_at = timezone.now() + lifetime
    link.save()
    link.inboxes.set(inbox for inbox in inboxes if not inbox.is_personal)
    if link.email_address and sends_email():
        link.email_state = OneTimeLink.EmailState.WAITING
        link.save(update_fields=["email_state"])
        jobs.defer_link_email(link.pk)
    return NewLink(link, tokens.link_url(token))


def _lock_link(token: str, kind: OneTimeLink.Kind) -> OneTimeLink:
    """Return the link, locked, if it can be used now; a second browser waits and finds it used."""
    locked = tokens.links_of(token).filter(kind=kind).select_for_update(of=("self",)).first()
    return tokens.check_usable(locked)


def _create_agent(*, username: str, **fields: object) -> Agent:
    # Serialises newcomers: the database itself would take names that differ only in their case.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('inboxes.usernames'))")
    if is_username_taken(username):
        raise UsernameTaken
    agent = Agent(username=username, **fields)
    try:
        with transaction.atomic():
            agent.save()
    except IntegrityError:
        raise UsernameTaken from None
    return agent


def _mark_used(link: OneTimeLink, agent: Agent) -> None:
    link.used_at, link.used_by = timezone.now(), agent
    link.save(update_fields=["used_at", "used_by"])


def _revoke_all(links: OneTimeLinkQuerySet, *, revoked_by: Agent) -> None:
    links.waiting().update(revoked_at=timezone.now(), revoked_by=revoked_by)
