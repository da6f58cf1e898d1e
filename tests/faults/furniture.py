"""Writes the tests' cast into a cluster's database; run with the cluster's environment.

    python -m tests.faults.furniture THREADS [MEMBERS]

Prints JSON: the account's webhook path, number and secret, so many threads of Front Desk as
[id, the customer's address], the cookies of ana's browser and of a superuser's, and so many more
members of Front Desk, each signed in.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inboxes.models import Agent
    from tests.cast import Cast


def main(threads: int, members: int = 0) -> None:
    import django

    django.setup()
    from django.conf import settings

    from inboxes.models import Agent
    from tests.cast import FRONT_DESK, SECRETS, assemble

    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "testserver"]
    cast = assemble()
    made = [cast.thread(sender=f"+1303555{number:04d}") for number in range(threads)]
    root = Agent.objects.create(
        username="root", display_name="Root", is_staff=True, is_superuser=True
    )
    team = [_member(cast, f"member{number}") for number in range(members)]
    told = {
        "webhook_path": cast.account.webhook_path,
        "number": FRONT_DESK,
        "secret": SECRETS["auth_token"],
        "threads": [[thread.pk, thread.contact.address] for thread in made],
        "cookies": _cookies(cast.ana),
        "administrator": _cookies(root),
        "inbox": cast.front_desk.pk,
        "members": team,
    }
    print(json.dumps(told))


def _member(cast: Cast, username: str) -> dict[str, Any]:
    """One more colleague in Front Desk, and the `Cookie` header of their browser."""
    from inboxes.actions import add_member
    from inboxes.models import Agent

    agent = Agent.objects.create(username=username, display_name=username.title())
    add_member(inbox=cast.front_desk, agent=agent, changed_by=cast.admin)
    agent.refresh_from_db()
    cookie = "; ".join(f"{name}={value}" for name, value in _cookies(agent).items())
    return {"pk": agent.pk, "seq": agent.seq, "name": username, "cookie": cookie}


def _cookies(agent: Agent) -> dict[str, str]:
    """Of a browser in which the agent is signed in."""
    from tests.cast import client_of

    return {name: cookie.value for name, cookie in client_of(agent).cookies.items()}


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
