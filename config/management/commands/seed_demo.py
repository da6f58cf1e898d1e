"""Write the demo's agents, inboxes, numbers and history."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from config.demo import PASSWORD, history
from config.demo.contacts import write_contacts
from config.demo.hours import HOURS
from config.demo.saved_replies import write_saved_replies
from config.demo.work import write_work
from inboxes import counters
from inboxes.actions import add_member
from inboxes.models import Agent, Inbox, Membership
from messaging.carriers import events
from messaging.inbound import reactions
from messaging.models import (
    Attempt,
    CarrierAccount,
    DeliveryState,
    Message,
    Number,
    OptOut,
)
from messaging.outbound.delivery import UNKNOWN_REASON
from messaging.simulator.models import Text
from messaging.stream import writing
from messaging.stream.keywords import find_keyword
from messaging.stream.mentions import find_mentions, mentionable_agents
from messaging.stream.notifying import mark_notifications_read
from threads import words
from threads.actions import mark_read
from threads.models import Contact, Thread

PEOPLE = {"ana": "Ana Ruiz", "ben": "Ben Okafor", "cho": "Cho Park"}
INBOXES = {"Front Desk": ["ana", "ben", "cho"], "Dispatch": ["ana", "ben"]}
LINES = {"ana": "Ana Ruiz"}
HELP_TEXTS = {
    "Front Desk": (
        "Brandt Appliance Repair, open Mon to Sat 8 to 6, phone (202) 555-0110. "
        "Text us here, or STOP to get no more texts."
    ),
}
NUMBERS = {
    "Front Desk": "+12025550110",
    "Dispatch": "+12025550111",
    "Ana Ruiz": "+12025550112",
}
# Messages that came in more recently are unread.
UNREAD_AGE = timedelta(hours=1)


class Command(BaseCommand):
    help = "Write the demo's people, inboxes and history. Running it again changes nothing."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("This is for the demo only: it needs PARTYLINE_DEMO=1.")
        agents = _create_agents()
        inboxes = _create_inboxes(agents)
        account = _create_account()
        for name, address in NUMBERS.items():
            Number.objects.get_or_create(
                address=address, defaults={"account": account, "inbox": inboxes[name]}
            )
        if not Message.objects.exists():
            writer = HistoryWriter(agents, inboxes, account)
            writer.write_history()
            write_work(agents, inboxes, writer.threads, writer.now)
            write_saved_replies(agents, inboxes)
            write_contacts(inboxes, agents["ana"])
        if options["verbosity"]:
            self.stdout.write("The demo is seeded.")


def _create_agents() -> dict[str, Agent]:
    agents = {}
    if not Agent.objects.filter(username="admin").exists():
        Agent.objects.create_superuser("admin", password=PASSWORD, display_name="Administrator")
    for username, name in PEOPLE.items():
        agent = Agent.objects.filter(username=username).first()
        if agent is None:
            agent = Agent.objects.create_user(username, password=PASSWORD, display_name=name)
        agents[username] = agent
    return agents


def _create_inboxes(agents: dict[str, Agent]) -> dict[str, Inbox]:
    inboxes = {}
    for name, members in INBOXES.items():
        inboxes[name], is_new = Inbox.objects.get_or_create(
            name=name,
            owner=None,
            defaults={"help_text": HELP_TEXTS.get(name, ""), **HOURS.get(name, {})},
        )
        for username in members if is_new else []:
            add_member(inbox=inboxes[name], agent=agents[username], changed_by=None)
    for username, name in LINES.items():
        inboxes[name], _ = Inbox.objects.get_or_create(
            owner=agents[username], defaults={"name": name}
        )
    return inboxes


def _create_account() -> CarrierAccount:
    account = CarrierAccount.objects.filter(carrier="simulator").first()
    if account is None:
        account = CarrierAccount(carrier="simulator", name="Simulator")
        account.set_credentials({"secret": secrets.token_urlsafe(24)})
        account.save()
    return account


class HistoryWriter:
    """Writes the demo's history as real traffic would be recorded, with times in the past."""

    def __init__(
        self, agents: dict[str, Agent], inboxes: dict[str, Inbox], account: CarrierAccount
    ) -> None:
        self.agents = agents
        self.inboxes = inboxes
        self.account = account
        self.now = timezone.localtime()
        self.threads: dict[tuple[str, str], Thread] = {}
        self.readers = {
            inbox.pk: [
                agent
                for username, agent in agents.items()
                if inbox.owner_id == agent.pk or username in INBOXES.get(name, [])
            ]
            for name, inbox in inboxes.items()
        }

    def write_history(self) -> None:
        """Write the oldest first, so that keys, counters and last messages are as in real use."""
        # Messages from before a membership count as read.
        Membership.objects.update(created_at=self.now - timedelta(days=365))
        for line in history.read_lines(self.now):
            message = self._write_message(line)
            if line.kind == "inbound":
                _put_on_handset(message.carrier_message_id, line)
            if line.kind == "outbound":
                self._write_attempt(message, line)
            elif line.kind == "inbound" and find_keyword(line.text) == "opt_out":
                OptOut.objects.create(
                    our_address=NUMBERS[line.conversation.inbox],
                    address=line.conversation.address,
                    source=OptOut.Source.KEYWORD,
                    since=line.at,
                )
            if line.kind != "inbound" or line.at < self.now - UNREAD_AGE:
                for agent in self.readers[message.inbox_id]:
                    mark_read(
                        thread=message.thread,
                        agent=agent,
                        message_id=message.pk,
                        position=message.position,
                    )
                    mark_notifications_read(agent=agent, thread=message.thread)

    def _write_message(self, line: history.Line) -> Message:
        inbox = self.inboxes[line.conversation.inbox]
        seq = counters.next_inbox_seq(inbox.pk)
        is_inbound = line.kind == "inbound"
        author = None if is_inbound else self.agents[line.author]
        message = Message(
            thread=self._open_thread(line, inbox, seq),
            inbox=inbox,
            kind=line.kind,
            author=author,
            mentions=_find_mentions(line, inbox, author),
            body=line.text,
            created_at=line.at,
            seq=seq,
            state=line.state,
            reason=_failure_reason(line.state),
            account=self.account if is_inbound else None,
            carrier_message_id=f"demo-{secrets.token_hex(8)}" if is_inbound else "",
            carrier_sent_at=line.at if is_inbound else None,
        )
        if not is_inbound:
            return writing.record_message(message)
        quoted = reactions.read_tapback(message)
        writing.record_message(message, our_address=NUMBERS[inbox.name])
        if quoted is not None:
            reactions.show_reaction(quoted, seq)
        return message

    def _open_thread(self, line: history.Line, inbox: Inbox, seq: int) -> Thread:
        head = line.conversation
        key = (head.inbox, head.address)
        if key not in self.threads:
            thread_id = writing.get_or_create_thread(
                inbox_id=inbox.pk, sender=head.address, our_address=NUMBERS[inbox.name], seq=seq
            )
            thread = Thread.objects.get(pk=thread_id)
            since = min(self.now - head.since, line.at)
            described = words.build_contact_vector(inbox.pk, head.address, head.name, ())
            Contact.objects.filter(pk=thread.contact_id).update(
                name=head.name, note=head.note, words=described, created_at=since
            )
            Thread.objects.filter(pk=thread.pk).update(created_at=since)
            self.threads[key] = thread
        return self.threads[key]

    def _write_attempt(self, message: Message, line: history.Line) -> None:
        is_known = line.state != "unknown"
        attempt = Attempt.objects.create(
            message=message,
            ordinal=1,
            account=self.account,
            carrier_message_id=f"sim-{secrets.token_hex(16)}" if is_known else "",
            state=line.state,
            error_code="bad_address" if line.state == "failed" else "",
            error_class="bad_address" if line.state == "failed" else "",
            settled_at=line.at + timedelta(seconds=2),
        )
        Attempt.objects.filter(pk=attempt.pk).update(started_at=line.at)
        if line.state == "delivered":
            _put_on_handset(attempt.carrier_message_id, line)


def _put_on_handset(carrier_message_id: str, line: history.Line) -> None:
    """Show a text on the simulator's handset, too: one that was sent there, or delivered."""
    ends = [NUMBERS[line.conversation.inbox], line.conversation.address]
    sender, recipient = reversed(ends) if line.kind == "inbound" else ends
    text = Text.objects.create(
        carrier_message_id=carrier_message_id, sender=sender, recipient=recipient, body=line.text
    )
    Text.objects.filter(pk=text.pk).update(received_at=line.at + timedelta(seconds=1))


def _find_mentions(line: history.Line, inbox: Inbox, author: Agent | None) -> list[list[int]]:
    if line.kind != "internal" or author is None:
        return []
    found = find_mentions(line.text, mentionable_agents(inbox, author), author)
    return [[mention.start, mention.end, mention.agent_id] for mention in found]


def _failure_reason(state: str) -> str:
    if state == DeliveryState.FAILED:
        return events.REASONS["bad_address"]
    return UNKNOWN_REASON if state == DeliveryState.UNKNOWN else ""
