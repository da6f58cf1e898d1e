"""The one cast of the tests: ana, ben and cho are members of various inboxes, dov of none."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import dataclass

from django.db import transaction
from django.test import Client

from inboxes.actions import add_member
from inboxes.models import Agent, Inbox
from messaging.carriers import events
from messaging.inbound.receiving import store_text
from messaging.models import CarrierAccount, Message, Number
from messaging.outbound.sending import write_message
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

    Their numbers send as fast as anybody may wish: rates are tested in test_limits.py.
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
        """A text from outside, as an adapter would have read it."""
        text = events.InboundText(f"SM{next(_ids):032d}", sender, to, body)
        with transaction.atomic():
            return store_text(text, account=self.account)

    def thread(self, *, sender: str = CUSTOMER, to: str = FRONT_DESK) -> Thread:
        """A thread with one text in it."""
        return self.text_in("Is anybody there?", sender=sender, to=to).thread

    def note(self, thread: Thread, body: str, *, author: Agent | None = None) -> Message:
        """An internal message."""
        return write_message(
            thread=thread,
            author=author or self.ana,
            body=body,
            form_key=uuid.uuid4(),
            is_internal=True,
        )

    def answer(self, thread: Thread, body: str, *, author: Agent | None = None) -> Message:
        return write_message(
            thread=thread, author=author or self.ana, body=body, form_key=uuid.uuid4()
        )


def assemble() -> Cast:
    """Write the cast into the database."""
    people = {
        name: Agent.objects.create(username=name, display_name=display_name)
        for name, display_name in [
            ("ana", "Ana Ruiz"),
            ("ben", "Ben Okafor"),
            ("cho", "Cho Park"),
            ("dov", "Dov Levi"),
        ]
    }
    admin = Agent.objects.create(username="admin", display_name="The Administrator", is_staff=True)
    front_desk = Inbox.objects.create(name="Front Desk")
    dispatch = Inbox.objects.create(name="Dispatch")
    anas_line = Inbox.objects.create(name="Ana Ruiz", owner=people["ana"])
    for inbox, names in [(front_desk, ["ana", "ben", "cho"]), (dispatch, ["ana", "ben"])]:
        for name in names:
            add_member(inbox=inbox, agent=people[name], changed_by=admin)
    account = CarrierAccount(carrier="twilio", name="Twilio of the tests")
    account.set_credentials(SECRETS)
    account.save()
    for inbox, address in [
        (front_desk, FRONT_DESK),
        (dispatch, DISPATCH),
        (anas_line, ANAS_LINE),
    ]:
        Number.objects.create(
            address=address, account=account, inbox=inbox, segments_per_second=1000
        )
    return Cast(
        **people,
        admin=admin,
        front_desk=front_desk,
        dispatch=dispatch,
        anas_line=anas_line,
        account=account,
    )


def client_of(agent: Agent) -> Client:
    """A browser in which the agent is signed in."""
    client = Client()
    client.force_login(agent, backend="django.contrib.auth.backends.ModelBackend")
    return client
