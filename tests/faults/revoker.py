"""The ways in which an agent loses what they may see, by whoever takes it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from tests.faults.admin_forms import Busy, read_form, send_form
from tests.faults.ground import Member, Site, csrf_token
from tests.stack import ROOT

ANNOUNCED = 2.0
UNANNOUNCED = 5.0
"""Seconds until nothing may flow: the application's own ways ring a bell; what only the database
knows is seen within a beat."""

GONE, SIGN_IN = 404, 302
ROW = re.compile(r"memberships-\d+-id")


@dataclass(frozen=True)
class Way:
    """`limit` is in seconds; `then` is the status of what is asked for next."""

    name: str
    limit: float
    then: int
    deed: Callable[[Revoker, Member], None]


class Revoker:
    """Takes away by one way or another; each returns once the change has committed, or raises
    Busy."""

    def __init__(self, site: Site, shell: subprocess.Popen[str], admin: httpx.Client) -> None:
        self.site = site
        self._shell = shell
        self._admin = admin

    def elsewhere(self, way: str, member: Member) -> None:
        """By another process, which has no page of its own; see `tests.faults.other_process`."""
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        self._shell.stdin.write(f"{way} {member.pk}\n")
        self._shell.stdin.flush()
        assert self._shell.stdout.readline().strip() == "done"

    def sql(self, statement: str, member: Member) -> None:
        self.site.program.sql(statement, member.pk)

    def session(self, member: Member) -> None:
        """By SQL."""
        [(_, key)] = [one for one in member.cookies.items() if "sessionid" in one[0]]
        gone = "DELETE FROM django_session WHERE session_key = %s RETURNING 1"
        assert self.site.program.sql(gone, key), "the session was not there"

    def membership_in_the_administration(self, member: Member) -> None:
        path = f"/admin/inboxes/inbox/{self.site.inbox}/change/"
        pk = self.site.one(
            "SELECT id FROM inboxes_membership WHERE agent_id = %s AND inbox_id = %s",
            member.pk,
            self.site.inbox,
        )
        fields = read_form(self._admin, path, "inbox_form")
        [name] = [
            name for name, value in fields.items() if ROW.fullmatch(name) and value == str(pk)
        ]
        send_form(self._admin, path, fields | {name.removesuffix("id") + "DELETE": "on"})

    def activity_in_the_administration(self, member: Member) -> None:
        path = f"/admin/inboxes/agent/{member.pk}/change/"
        fields = read_form(self._admin, path, "agent_form")
        del fields["is_active"]
        send_form(self._admin, path, fields)

    def password_in_the_administration(self, member: Member) -> None:
        path = f"/admin/inboxes/agent/{member.pk}/password/"
        password = "another, and a long one"
        fields = read_form(self._admin, path, "agent_form")
        fields |= {"password1": password, "password2": password, "usable_password": "true"}
        send_form(self._admin, path, fields)

    def sign_out(self, member: Member) -> None:
        url = self.site.program.url
        with self.site.client(cookies=member.cookies, headers={"Origin": url}) as http:
            if http.get("/settings/").status_code >= 500:
                raise Busy("/settings/")
            send_form(http, "/sign-out/", {"csrfmiddlewaretoken": csrf_token(http)})


def _elsewhere(way: str) -> Callable[[Revoker, Member], None]:
    return lambda revoker, member: revoker.elsewhere(way, member)


def _sql(statement: str) -> Callable[[Revoker, Member], None]:
    return lambda revoker, member: revoker.sql(statement, member)


WAYS = [
    Way(
        "membership, the administration", ANNOUNCED, GONE, Revoker.membership_in_the_administration
    ),
    Way("membership, another process", ANNOUNCED, GONE, _elsewhere("remove_member")),
    Way(
        "membership, in bulk, another process", UNANNOUNCED, GONE, _elsewhere("delete_memberships")
    ),
    Way(
        "membership, SQL",
        UNANNOUNCED,
        GONE,
        _sql("DELETE FROM inboxes_membership WHERE agent_id = %s"),
    ),
    Way(
        "activity, the administration", ANNOUNCED, SIGN_IN, Revoker.activity_in_the_administration
    ),
    Way("activity, another process", ANNOUNCED, SIGN_IN, _elsewhere("deactivate")),
    Way(
        "activity, SQL",
        UNANNOUNCED,
        SIGN_IN,
        _sql("UPDATE inboxes_agent SET is_active = false WHERE id = %s"),
    ),
    Way(
        "password, the administration", ANNOUNCED, SIGN_IN, Revoker.password_in_the_administration
    ),
    Way("password, another process", ANNOUNCED, SIGN_IN, _elsewhere("set_password")),
    Way(
        "password, SQL",
        UNANNOUNCED,
        SIGN_IN,
        _sql("UPDATE inboxes_agent SET password = 'another' WHERE id = %s"),
    ),
    Way("session, signed out", ANNOUNCED, SIGN_IN, Revoker.sign_out),
    Way("session, another process", UNANNOUNCED, SIGN_IN, _elsewhere("delete_sessions")),
    Way("session, SQL", UNANNOUNCED, SIGN_IN, Revoker.session),
]


@contextmanager
def revoker(site: Site) -> Iterator[Revoker]:
    shell = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.other_process"],
        cwd=ROOT,
        env=os.environ | site.settings,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with shell, site.client(headers={"Origin": site.program.url}) as admin:
        for name, value in site.administrator.items():
            # With their place, so that the server can replace them: a new password does.
            admin.cookies.set(name, value, domain="127.0.0.1", path="/")
        assert shell.stdout is not None
        assert shell.stdout.readline().strip() == "ready"
        yield Revoker(site, shell, admin)
