"""Write what the demo's team has done with conversations, from assigning to blocking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal

from inboxes.models import Agent, Inbox
from messaging.contacts.blocking import block_contact
from messaging.models import Notification
from messaging.work import deeds
from messaging.work.label_definitions import define_labels
from messaging.work.labels import label_threads
from threads.models import Activity, Contact, Label, Thread

# Behind the last message of its conversation
PAUSE = timedelta(minutes=1)
MORNING = time(8)

# The labels of each inbox, with their colours.
LABELS = {
    "Front Desk": {
        "Invoice": "blue",
        "Warranty": "violet",
        "Parts": "pink",
        "New kitchen": "green",
    },
    "Dispatch": {"Parts": "pink", "Van": "green"},
}


@dataclass(frozen=True, slots=True)
class Work:
    """Hold what `by` did last with the conversation of an inbox and a contact's address."""

    inbox: str
    address: str
    by: str
    assignee: str = ""
    status: Literal["open", "done", "snoozed", "blocked"] = "open"
    labels: tuple[str, ...] = ()


WORK = [
    Work("Front Desk", "+12025550126", "cho", "ana", labels=("New kitchen",)),
    Work("Front Desk", "+12025550163", "cho", "ana", labels=("Warranty",)),
    Work("Front Desk", "+12025550186", "cho", "ben"),
    Work("Front Desk", "+12025550109", "ana", "ana", labels=("Invoice",)),
    Work("Front Desk", "+12025550142", "ben", "ben", "snoozed", ("Parts",)),
    Work("Front Desk", "+13035550118", "ana", "ana", "done", ("Invoice",)),
    Work("Front Desk", "+12025550190", "cho", "", "done"),
    Work("Front Desk", "+13035550173", "ana", "", "done"),
    Work("Front Desk", "+12025550138", "ana", "", "done"),
    Work("Front Desk", "PARCELBOX", "cho", "", "done", ("Parts",)),
    Work("Dispatch", "+12025550144", "ana", "ben", labels=("Van",)),
    Work("Dispatch", "+13125550166", "ben", "ben", "snoozed", ("Parts",)),
    Work("Dispatch", "+12025550159", "ben", "", "done"),
    Work("Dispatch", "+15105550123", "ben", "", "blocked"),
    Work("Ana Ruiz", "+13035550107", "ana", "", "done"),
]


def write_work(
    agents: Mapping[str, Agent],
    inboxes: Mapping[str, Inbox],
    threads: Mapping[tuple[str, str], Thread],
    now: datetime,
) -> None:
    """Do it all by the same actions as the team's pages, with times in the past."""
    labels = {
        (inbox, label.name): label
        for inbox, colours in LABELS.items()
        for label in _create_labels(inboxes[inbox], colours)
    }
    for work in WORK:
        thread = Thread.objects.get(pk=threads[work.inbox, work.address].pk)
        own = [labels[work.inbox, name] for name in work.labels]
        _do_work(work, thread, agents, own, tomorrow=now + timedelta(days=1))
        at = min((thread.last_at or now) + PAUSE, now)
        Activity.objects.filter(thread=thread).update(created_at=at)
        Contact.objects.filter(thread=thread, blocked_by__isnull=False).update(blocked_at=at)
        Notification.objects.filter(thread=thread, message=None).update(created_at=at, read_at=at)


def _create_labels(inbox: Inbox, colours: Mapping[str, str]) -> list[Label]:
    new = [Label(inbox=inbox, name=name, colour=colour) for name, colour in colours.items()]
    define_labels(inbox=inbox, added=new)
    return list(Label.objects.filter(inbox=inbox))


def _do_work(
    work: Work,
    thread: Thread,
    agents: Mapping[str, Agent],
    labels: list[Label],
    *,
    tomorrow: datetime,
) -> None:
    inbox_id, by = thread.inbox_id, agents[work.by]
    shown = {thread.pk: thread.last_message_id or 0}
    for label in labels:
        label_threads(
            inbox_id=inbox_id, thread_ids=[thread.pk], label_id=label.pk, is_on=True, by=by
        )
    if work.assignee:
        deeds.assign_threads(
            inbox_id=inbox_id, thread_ids=[thread.pk], assignee=agents[work.assignee], by=by
        )
    if work.status == "done":
        deeds.mark_done(inbox_id=inbox_id, shown=shown, by=by)
    elif work.status == "snoozed":
        until = datetime.combine(tomorrow.date(), MORNING, tomorrow.tzinfo)
        deeds.snooze(inbox_id=inbox_id, shown=shown, until=until, by=by)
    elif work.status == "blocked":
        block_contact(contact=thread.contact, by=by)
