"""Write the agents and inboxes that the bench needs, by the product's own actions."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

import django

from config.embedded.paths import database_url
from tests.bench.clients import post_request
from tests.bench.server import Server, to_base64

if TYPE_CHECKING:
    from inboxes.models import Agent
    from threads.models import Thread

AUTH_TOKEN = "a-secret-of-the-bench"
FORM = "application/x-www-form-urlencoded"
INBOXES = 20

_ids = itertools.count(1)


@dataclass(frozen=True)
class BenchInbox:
    """Describe a shared inbox with its number."""

    pk: int
    number: str


@dataclass(frozen=True)
class Viewer:
    """Describe a member of the first inbox. `cookie` is the header of their browser."""

    agent: Agent
    cookie: str


@dataclass
class Setup:
    server: Server
    webhook_path: str
    inboxes: list[BenchInbox] = field(default_factory=list)
    viewers: list[Viewer] = field(default_factory=list)

    def text_webhook(self, inbox: BenchInbox, sender: int, body: str) -> bytes:
        """Return a webhook as Twilio sends and signs it, from one of the inbox's customers."""
        sid = f"SM{next(_ids):032x}"
        fields = {
            "ToCountry": "US", "ToState": "DC", "SmsMessageSid": sid, "NumMedia": "0",
            "ToCity": "", "FromZip": "", "SmsSid": sid, "FromState": "DC",
            "SmsStatus": "received", "FromCity": "", "Body": body, "FromCountry": "US",
            "To": inbox.number, "ToZip": "", "NumSegments": "1", "MessageSid": sid,
            "AccountSid": "AC" + "0" * 32, "From": f"+1202555{1000 + sender}",
            "ApiVersion": "2010-04-01",
        }  # fmt: skip
        return self._sign(fields)

    def _sign(self, fields: dict[str, str]) -> bytes:
        signed = self.server.stack.url + self.webhook_path
        signed += "".join(key + value for key, value in sorted(fields.items()))
        digest = hmac.new(AUTH_TOKEN.encode(), signed.encode(), hashlib.sha1).digest()
        return post_request(
            self.webhook_path,
            self.server.port,
            urlencode(fields).encode(),
            Content_Type=FORM,
            User_Agent="TwilioProxy/1.1",
            X_Twilio_Signature=base64.b64encode(digest).decode(),
        )


def make_setup(server: Server) -> Setup:
    """Set up Django in this process to use the server's database.

    This process does not count as a user of the embedded database: only the server keeps it
    running.
    """
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": database_url(server.data),
        "PARTYLINE_DATA": str(server.data),
        "DB_POOL_SIZE": "0",
        # Django's test client, by which people sign in, calls the host so.
        "ALLOWED_HOSTS": "127.0.0.1,testserver",
    }
    django.setup()
    return _write_setup(server)


def _write_setup(server: Server) -> Setup:
    from inboxes.models import Inbox
    from messaging.models import CarrierAccount, Number

    account = CarrierAccount(carrier="twilio", name="Twilio of the bench")
    account.set_credentials({"account_sid": "AC" + "0" * 32, "auth_token": AUTH_TOKEN})
    account.save()
    setup = Setup(server, account.webhook_path)
    for count in range(INBOXES):
        inbox = Inbox.objects.create(name=f"Desk {count}")
        number = Number.objects.create(
            account=account,
            inbox=inbox,
            address=f"+12025550{100 + count}",
            segments_per_second=1000,
        )
        setup.inboxes.append(BenchInbox(inbox.pk, number.address))
    return setup


def make_viewers(setup: Setup, count: int) -> list[Viewer]:
    """Return so many members of the first inbox, the same ones for every part of the bench."""
    for number in range(len(setup.viewers), count):
        agent = new_agent(f"viewer{number}", setup.inboxes[0].pk)
        setup.viewers.append(Viewer(agent, signed_in_cookie(agent)))
    return setup.viewers[:count]


def make_thread(setup: Setup, inbox: BenchInbox) -> Thread:
    """Return the thread of the inbox's first customer, who may have written before."""
    from threads.models import Thread

    request = to_base64(setup.text_webhook(inbox, 0, "Good morning."))
    setup.server.load_process.run(
        "post_all", port=setup.server.port, requests=[request], connections=1
    )
    return Thread.objects.get(inbox=inbox.pk, contact__address="+12025551000")


def page_sockets(inbox: BenchInbox, thread: Thread, viewers: list[Viewer]) -> list[dict[str, str]]:
    """Return, for `open_pages`, sockets of pages that show the list and the thread."""
    from inboxes.models import Inbox

    seq = Inbox.objects.values_list("seq", flat=True).get(pk=inbox.pk)
    pages = []
    for viewer in viewers:
        agent = viewer.agent
        seqs = {f"l{inbox.pk}": seq, f"t{thread.pk}": seq, f"a{agent.pk}": agent.seq}
        view = {"list": inbox.pk, "thread": thread.pk, "seqs": seqs}
        path = f"/live/?look={quote(json.dumps(view))}"
        pages.append({"path": path, "cookie": viewer.cookie})
    return pages


def echo_sockets(viewers: list[Viewer]) -> list[dict[str, str]]:
    """Return, for `open_pages`, as many sockets that get whatever one of them sends."""
    return [{"path": "/floor/echo/", "cookie": viewers[0].cookie} for _ in viewers]


def new_agent(username: str, *inbox_ids: int) -> Agent:
    from inboxes.actions import add_member
    from inboxes.models import Agent, Inbox

    agent = Agent.objects.create(username=username, display_name=f"{username.title()} Bench")
    for inbox in Inbox.objects.filter(pk__in=inbox_ids):
        add_member(inbox=inbox, agent=agent, changed_by=agent)
    agent.refresh_from_db()
    return agent


def signed_in_cookie(agent: Agent) -> str:
    """Return the header of a browser in which the agent is signed in."""
    from django.conf import settings

    from tests.cast import client_of

    name = settings.SESSION_COOKIE_NAME
    return f"{name}={client_of(agent).cookies[name].value}"
