"""Revoke rights from outside the web processes, as an administrator's shell or a script does.

Run with a site's environment. It reads lines of "WAY AGENT_ID", answers each with "done" once the
change is committed, for a link with its path behind it, and ends with its input.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from inboxes.models import Agent


def remove_member(agent: Agent) -> None:
    """Remove the agent from their inboxes by the application's own action."""
    from inboxes.actions import remove_member

    for membership in agent.memberships.select_related("inbox"):
        remove_member(inbox=membership.inbox, agent=agent, changed_by=None)


def delete_memberships(agent: Agent) -> None:
    """Delete the memberships in bulk, which sends no signals."""
    from inboxes.models import Membership

    Membership.objects.filter(agent=agent).delete()


def deactivate_agent(agent: Agent) -> None:
    agent.is_active = False
    agent.save()


def set_password(agent: Agent) -> None:
    agent.set_password("another, and a long one")
    agent.save()


def make_reset_link(agent: Agent) -> str:
    """Return the path of a link by which the agent chooses a new password."""
    from inboxes.invitations.actions import send_reset_link
    from inboxes.models import Agent

    administrator = Agent.objects.filter(is_staff=True, is_active=True).earliest("pk")
    return urlsplit(send_reset_link(agent=agent, made_by=administrator).url).path


def delete_sessions(agent: Agent) -> None:
    """Sign them out everywhere."""
    from django.contrib.sessions.models import Session

    for session in Session.objects.all():
        if session.get_decoded().get("_auth_user_id") == str(agent.pk):
            session.delete()


WAYS: dict[str, Callable[[Agent], str | None]] = {
    "remove_member": remove_member,
    "delete_memberships": delete_memberships,
    "deactivate": deactivate_agent,
    "set_password": set_password,
    "make_reset_link": make_reset_link,
    "delete_sessions": delete_sessions,
}


def main() -> None:
    import django

    django.setup()
    from inboxes.models import Agent

    print("ready", flush=True)
    for line in sys.stdin:
        way, agent_id = line.split()
        answer = WAYS[way](Agent.objects.get(pk=agent_id))
        print("done", answer or "", flush=True)


if __name__ == "__main__":
    main()
