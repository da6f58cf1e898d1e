"""Write the tests' cast into a database; run with the environment of the installation.

    python -m tests.faults.cast_writer THREADS [MEMBERS]

Prints JSON: the account's webhook path, number and secret; THREADS threads of Front Desk as
[id, the customer's address]; the cookies of ana and of a superuser; and MEMBERS more members of
Front Desk, each signed in.
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
    from tests.cast import FRONT_DESK, SECRETS, create_cast

    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "testserver"]
    cast = create_cast()
    new_threads = [cast.thread(sender=f"+1303555{number:04d}") for number in range(threads)]
    root = Agent.objects.create(
        username="root", display_name="Root", is_staff=True, is_superuser=True
    )
    team = [_add_member(cast, f"member{number}") for number in range(members)]
    written = {
        "webhook_path": cast.account.webhook_path,
        "number": FRONT_DESK,
        "secret": SECRETS["auth_token"],
        "threads": [[thread.pk, thread.contact.address] for thread in new_threads],
        "cookies": _signed_in_cookies(cast.ana),
        "administrator": _signed_in_cookies(root),
        "inbox": cast.front_desk.pk,
        "members": team,
    }
    print(json.dumps(written))


def _add_member(cast: Cast, username: str) -> dict[str, Any]:
    """Add a member to Front Desk; return them with the `Cookie` header of their browser."""
    from inboxes.actions import add_member
    from inboxes.models import Agent

    agent = Agent.objects.create(username=username, display_name=username.title())
    add_member(inbox=cast.front_desk, agent=agent, changed_by=cast.admin)
    agent.refresh_from_db()
    cookie = "; ".join(f"{name}={value}" for name, value in _signed_in_cookies(agent).items())
    return {"pk": agent.pk, "seq": agent.seq, "name": username, "cookie": cookie}


def _signed_in_cookies(agent: Agent) -> dict[str, str]:
    """Return the cookies of a browser in which the agent is signed in."""
    from tests.cast import client_of

    return {name: cookie.value for name, cookie in client_of(agent).cookies.items()}


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
