"""The cast of the tests: ana, ben and cho are members of inboxes, dov of none."""

from __future__ import annotations

import itertools
import time
import uuid
from dataclasses import dataclass

from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from django.db import transaction
from django.test import Client

from inboxes.models import Agent, Inbox, Membership, MembershipChange
from inboxes.sign_in.demand import AUTHENTICATION_USER_SESSION_KEY
from messaging.carriers import events
from messaging.inbound.receiving import store_text
from messaging.models import CarrierAccount, Message, Number
from messaging.outbound.sending import write_message
from tests.markup import PageClient
from threads.models import Thread

FRONT_DESK = "+12025550110"
DISPATCH = "+12025550111"
ANAS_LINE = "+12025550112"
CUSTOMER = "+12025550177"
SECRETS = {"account_sid": "AC" + "0" * 32, "auth_token": "a-secret-of-the-tests"}

_ids = itertools.count(1)


@dataclass(frozen=True)
class Cast:
    """Front Desk has ana, ben and cho; Dispatch has ana and ben; `anas_line` is ana's own.

    Their numbers are practically unpaced; `tests/messaging/outbound/test_pacing.py` tests pacing.
    """

    ana: Agent
    ben: Agent
    cho: Agent
    dov: Agent
    admin: Agent
    front_desk: Inbox
    dispatch: Inbox
    anas_line: Inbox
    account: CarrierAccount

    def text_in(self, body: str, *, sender: str = CUSTOMER, to: str = FRONT_DESK) -> Message:
        """Store a text that came in, as a carrier's adapter would have parsed it."""
        text = events.InboundText(f"SM{next(_ids):032d}", sender, to, body)
        with transaction.atomic():
            return store_text(text, account=self.account)

    def thread(self, *, sender: str = CUSTOMER, to: str = FRONT_DESK) -> Thread:
        """Create a thread by a first text that comes in."""
        return self.text_in("Is anybody there?", sender=sender, to=to).thread

    def note(self, thread: Thread, body: str, *, author: Agent | None = None) -> Message:
        """Write an internal message."""
        return write_message(
            thread=thread,
            author=author or self.ana,
            body=body,
            form_key=uuid.uuid4(),
            is_internal=True,
        )

    def answer(self, thread: Thread, body: str, *, author: Agent | None = None) -> Message:
        """Write an outbound message."""
        return write_message(
            thread=thread, author=author or self.ana, body=body, form_key=uuid.uuid4()
        )


def create_cast() -> Cast:
    """Write the cast into the database with few statements, since half of the tests need it."""
    everybody = Agent.objects.bulk_create(
        [
            Agent(username="ana", display_name="Ana Ruiz", seq=2),
            Agent(username="ben", display_name="Ben Okafor", seq=2),
            Agent(username="cho", display_name="Cho Park", seq=1),
            Agent(username="dov", display_name="Dov Levi"),
            Agent(username="admin", display_name="The Administrator", is_staff=True),
        ]
    )
    ana, ben, cho, dov, admin = everybody
    front_desk, dispatch, anas_line = Inbox.objects.bulk_create(
        [Inbox(name="Front Desk"), Inbox(name="Dispatch"), Inbox(name="Ana Ruiz", owner=ana)]
    )
    # As `add_member` would have written them, one after the other.
    members = [(front_desk, ana, 1), (front_desk, ben, 1), (front_desk, cho, 1)]
    members += [(dispatch, ana, 2), (dispatch, ben, 2)]
    Membership.objects.bulk_create(
        Membership(inbox=inbox, agent=agent, seq=seq) for inbox, agent, seq in members
    )
    MembershipChange.objects.bulk_create(
        MembershipChange(
            kind=MembershipChange.Kind.ADDED, inbox=inbox, agent=agent, changed_by=admin
        )
        for inbox, agent, _ in members
    )
    account = CarrierAccount(carrier="twilio", name="Twilio of the tests")
    account.set_credentials(SECRETS)
    account.save()
    Number.objects.bulk_create(
        Number(address=address, account=account, inbox=inbox, segments_per_second=1000)
        for inbox, address in [
            (front_desk, FRONT_DESK),
            (dispatch, DISPATCH),
            (anas_line, ANAS_LINE),
        ]
    )
    return Cast(ana, ben, cho, dov, admin, front_desk, dispatch, anas_line, account)


def client_of(agent: Agent) -> Client:
    """Return a test client that the agent has just signed in to."""
    client = PageClient()
    client.force_login(agent)
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "password", "at": time.time()}]
    session[AUTHENTICATION_USER_SESSION_KEY] = str(agent.pk)
    session.save()
    return client
