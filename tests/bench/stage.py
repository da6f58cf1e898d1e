"""Who and what the bench needs in its house, written with the product's own actions."""

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
from tests.bench.house import House, packed
from tests.bench.wire import post

if TYPE_CHECKING:
    from inboxes.models import Agent
    from threads.models import Thread

AUTH_TOKEN = "a-secret-of-the-bench"
FORM = "application/x-www-form-urlencoded"
DESKS = 20

_ids = itertools.count(1)


@dataclass(frozen=True)
class Desk:
    """A shared inbox with its number."""

    inbox_id: int
    number: str


@dataclass(frozen=True)
class Viewer:
    """A member of the first desk. `cookie` is the header of a browser that is signed in."""

    agent: Agent
    cookie: str


@dataclass
class Stage:
    house: House
    webhook_path: str
    desks: list[Desk] = field(default_factory=list)
    viewers: list[Viewer] = field(default_factory=list)

    def text(self, desk: Desk, sender: int, body: str) -> bytes:
        """A webhook as Twilio sends and signs it, from one of a desk's customers."""
        sid = f"SM{next(_ids):032x}"
        fields = {
            "ToCountry": "US", "ToState": "DC", "SmsMessageSid": sid, "NumMedia": "0",
            "ToCity": "", "FromZip": "", "SmsSid": sid, "FromState": "DC",
            "SmsStatus": "received", "FromCity": "", "Body": body, "FromCountry": "US",
            "To": desk.number, "ToZip": "", "NumSegments": "1", "MessageSid": sid,
            "AccountSid": "AC" + "0" * 32, "From": f"+1202555{1000 + sender}",
            "ApiVersion": "2010-04-01",
        }  # fmt: skip
        return self._signed(fields)

    def _signed(self, fields: dict[str, str]) -> bytes:
        signed = self.house.stack.url + self.webhook_path
        signed += "".join(key + value for key, value in sorted(fields.items()))
        digest = hmac.new(AUTH_TOKEN.encode(), signed.encode(), hashlib.sha1).digest()
        return post(
            self.webhook_path,
            self.house.port,
            urlencode(fields).encode(),
            Content_Type=FORM,
            User_Agent="TwilioProxy/1.1",
            X_Twilio_Signature=base64.b64encode(digest).decode(),
        )


def enter(house: House) -> Stage:
    """Use the product's code on the house's database, from this process, without holding on to
    the embedded server: the house alone keeps it alive."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": database_url(house.data),
        "PARTYLINE_DATA": str(house.data),
        "DB_POOL_SIZE": "0",
        # Django's test client, by which people sign in, calls the host so.
        "ALLOWED_HOSTS": "127.0.0.1,testserver",
    }
    django.setup()
    return _furnish(house)


def _furnish(house: House) -> Stage:
    from inboxes.models import Inbox
    from messaging.models import CarrierAccount, Number

    account = CarrierAccount(carrier="twilio", name="Twilio of the bench")
    account.set_credentials({"account_sid": "AC" + "0" * 32, "auth_token": AUTH_TOKEN})
    account.save()
    stage = Stage(house, account.webhook_path)
    for count in range(DESKS):
        inbox = Inbox.objects.create(name=f"Desk {count}")
        number = Number.objects.create(
            account=account,
            inbox=inbox,
            address=f"+12025550{100 + count}",
            segments_per_second=1000,
        )
        stage.desks.append(Desk(inbox.pk, number.address))
    return stage


def viewers(stage: Stage, count: int) -> list[Viewer]:
    """So many members of the first desk; the same ones for every part of the bench."""
    for number in range(len(stage.viewers), count):
        agent = new_agent(f"viewer{number}", stage.desks[0].inbox_id)
        stage.viewers.append(Viewer(agent, cookie_of(agent)))
    return stage.viewers[:count]


def thread_of(stage: Stage, desk: Desk) -> Thread:
    """The thread of the desk's first customer, who may have written before."""
    from threads.models import Thread

    request = packed(stage.text(desk, 0, "Good morning."))
    stage.house.world.do("post", port=stage.house.port, requests=[request], lines=1)
    return Thread.objects.get(inbox=desk.inbox_id, contact__address="+12025551000")


def looks(desk: Desk, thread: Thread, seen_by: list[Viewer]) -> list[dict[str, str]]:
    """For `open`: the sockets of pages that show the thread beside its inbox's list."""
    from inboxes.models import Inbox

    seq = Inbox.objects.values_list("seq", flat=True).get(pk=desk.inbox_id)
    pages = []
    for viewer in seen_by:
        agent = viewer.agent
        seqs = {f"l{desk.inbox_id}": seq, f"t{thread.pk}": seq, f"a{agent.pk}": agent.seq}
        look = {"list": desk.inbox_id, "thread": thread.pk, "seqs": seqs}
        path = f"/live/?look={quote(json.dumps(look))}"
        pages.append({"path": path, "cookie": viewer.cookie})
    return pages


def echo_pages(seen_by: list[Viewer]) -> list[dict[str, str]]:
    """For `open`: as many sockets that get whatever one of them says."""
    return [{"path": "/floor/echo/", "cookie": seen_by[0].cookie} for _ in seen_by]


def new_agent(username: str, *inbox_ids: int) -> Agent:
    from inboxes.actions import add_member
    from inboxes.models import Agent, Inbox

    agent = Agent.objects.create(username=username, display_name=f"{username.title()} Bench")
    for inbox in Inbox.objects.filter(pk__in=inbox_ids):
        add_member(inbox=inbox, agent=agent, changed_by=agent)
    agent.refresh_from_db()
    return agent


def cookie_of(agent: Agent) -> str:
    """The header of a browser in which the agent is signed in."""
    from django.conf import settings

    from tests.cast import client_of

    name = settings.SESSION_COOKIE_NAME
    return f"{name}={client_of(agent).cookies[name].value}"
