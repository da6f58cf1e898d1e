"""Define the ways in which an agent can lose the right to see an inbox."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from tests.faults.admin_forms import ServerBusy, read_form, send_form
from tests.faults.sites import Member, Site, csrf_token
from tests.stack import ROOT

# Seconds after which no text may flow. The application's own ways ring a bell; a change that only
# the database knows of is found by the next periodic check.
ANNOUNCED_LIMIT = 2.0
UNANNOUNCED_LIMIT = 5.0

GONE, SIGN_IN = 404, 302
ROW = re.compile(r"memberships-\d+-id")


@dataclass(frozen=True)
class Way:
    """Describe a way; `limit` is in seconds, `then` the status of the agent's next request."""

    name: str
    limit: float
    then: int
    revoke: Callable[[Revoker, Member], object]


class Revoker:
    """Revoke an agent's rights.

    Each method returns once the change is committed, or raises ServerBusy.
    """

    def __init__(self, site: Site, shell: subprocess.Popen[str], admin: httpx.Client) -> None:
        self.site = site
        self._shell = shell
        self._admin = admin

    def revoke_in_other_process(self, way: str, member: Member) -> str:
        """Revoke from a process without web pages; see `tests.faults.other_process`.

        Return what it says besides, such as the path of a link.
        """
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        self._shell.stdin.write(f"{way} {member.pk}\n")
        self._shell.stdin.flush()
        done, _, answer = self._shell.stdout.readline().strip().partition(" ")
        assert done == "done"
        return answer

    def revoke_by_sql(self, statement: str, member: Member) -> None:
        self.site.program.sql(statement, member.pk)

    def delete_session(self, member: Member) -> None:
        [(_, key)] = [one for one in member.cookies.items() if "sessionid" in one[0]]
        gone = "DELETE FROM django_session WHERE session_key = %s RETURNING 1"
        assert self.site.program.sql(gone, key), "the session was not there"

    def remove_member_in_admin(self, member: Member) -> None:
        path = f"/admin/inboxes/inbox/{self.site.inbox}/change/"
        pk = self.site.fetch_number(
            "SELECT id FROM inboxes_membership WHERE agent_id = %s AND inbox_id = %s",
            member.pk,
            self.site.inbox,
        )
        fields = read_form(self._admin, path, "inbox_form")
        [name] = [
            name for name, value in fields.items() if ROW.fullmatch(name) and value == str(pk)
        ]
        send_form(self._admin, path, fields | {name.removesuffix("id") + "DELETE": "on"})

    def deactivate_in_admin(self, member: Member) -> None:
        path = f"/admin/inboxes/agent/{member.pk}/deactivate/"
        send_form(self._admin, path, read_form(self._admin, path, "deactivate_form"))

    def use_reset_link(self, member: Member) -> None:
        path = self.revoke_in_other_process("make_reset_link", member)
        with self.site.http_client(headers={"Origin": self.site.program.url}) as stranger:
            if stranger.get(path).status_code >= 500:
                raise ServerBusy(path)
            token = csrf_token(stranger)
            fields = {"password": "another, and a long one", "csrfmiddlewaretoken": token}
            send_form(stranger, path, fields)

    def sign_out(self, member: Member) -> None:
        url = self.site.program.url
        with self.site.http_client(cookies=member.cookies, headers={"Origin": url}) as http:
            if http.get("/settings/").status_code >= 500:
                raise ServerBusy("/settings/")
            send_form(http, "/sign-out/", {"csrfmiddlewaretoken": csrf_token(http)})


def _in_other_process(way: str) -> Callable[[Revoker, Member], object]:
    return lambda revoker, member: revoker.revoke_in_other_process(way, member)


def _by_sql(statement: str) -> Callable[[Revoker, Member], None]:
    return lambda revoker, member: revoker.revoke_by_sql(statement, member)


WAYS = [
    Way(
        "membership, the administration",
        ANNOUNCED_LIMIT,
        GONE,
        Revoker.remove_member_in_admin,
    ),
    Way("membership, another process", ANNOUNCED_LIMIT, GONE, _in_other_process("remove_member")),
    Way(
        "membership, in bulk, another process",
        UNANNOUNCED_LIMIT,
        GONE,
        _in_other_process("delete_memberships"),
    ),
    Way(
        "membership, SQL",
        UNANNOUNCED_LIMIT,
        GONE,
        _by_sql("DELETE FROM inboxes_membership WHERE agent_id = %s"),
    ),
    Way(
        "activity, the administration",
        ANNOUNCED_LIMIT,
        SIGN_IN,
        Revoker.deactivate_in_admin,
    ),
    Way("activity, another process", ANNOUNCED_LIMIT, SIGN_IN, _in_other_process("deactivate")),
    Way(
        "activity, SQL",
        UNANNOUNCED_LIMIT,
        SIGN_IN,
        _by_sql("UPDATE inboxes_agent SET is_active = false WHERE id = %s"),
    ),
    Way(
        "password, a reset link",
        ANNOUNCED_LIMIT,
        SIGN_IN,
        Revoker.use_reset_link,
    ),
    Way("password, another process", ANNOUNCED_LIMIT, SIGN_IN, _in_other_process("set_password")),
    Way(
        "password, SQL",
        UNANNOUNCED_LIMIT,
        SIGN_IN,
        _by_sql("UPDATE inboxes_agent SET password = 'another' WHERE id = %s"),
    ),
    Way("session, signed out", ANNOUNCED_LIMIT, SIGN_IN, Revoker.sign_out),
    Way(
        "session, another process",
        UNANNOUNCED_LIMIT,
        SIGN_IN,
        _in_other_process("delete_sessions"),
    ),
    Way("session, SQL", UNANNOUNCED_LIMIT, SIGN_IN, Revoker.delete_session),
]


@contextmanager
def open_revoker(site: Site) -> Iterator[Revoker]:
    shell = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.other_process"],
        cwd=ROOT,
        env=os.environ | site.settings,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with shell, site.http_client(headers={"Origin": site.program.url}) as admin:
        for name, value in site.administrator.items():
            # With domain and path, so that the server can replace them, as a new password does.
            admin.cookies.set(name, value, domain="127.0.0.1", path="/")
        assert shell.stdout is not None
        assert shell.stdout.readline().strip() == "ready"
        yield Revoker(site, shell, admin)
