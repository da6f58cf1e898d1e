"""Read what stands beside a conversation in the region *Details*."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import F, QuerySet

from inboxes.models import Agent
from messaging.contacts.details import ContactDetails, details_of_threads
from messaging.models import Attachment, OptOut
from threads.labels import labels_on
from threads.models import Label, Thread

FILES_SHOWN = 12
FILES_ON_PAGE = 60
OTHERS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class FilesPart:
    """Hold the newest pictures and files of a thread; `has_more` tells of older ones.

    `seq` is the inbox's counter that covers what was read.
    """

    thread_id: int
    seq: int
    files: Sequence[Attachment]
    has_more: bool = False

    @property
    def oldest_id(self) -> int:
        return self.files[-1].pk

    @property
    def pictures(self) -> list[Attachment]:
        return [file for file in self.files if file.is_picture]

    @property
    def others(self) -> list[Attachment]:
        return [file for file in self.files if not file.is_picture]


@dataclass(frozen=True, slots=True)
class Details:
    """Hold what `messaging/details/_details.html` draws beside the conversation."""

    about: ContactDetails
    labels: Sequence[Label]
    files: FilesPart
    others: Sequence[Thread]  # The same contact's threads in the agent's other inboxes


def read_details(
    thread: Thread, agent: Agent, labels: Mapping[int, Label], opt_out: OptOut | None = None
) -> Details:
    """Read what the region shows; three queries, and one more for somebody who opted out.

    `labels` are those of the inbox, by key; `opt_out` is what keeps texts of the thread back.
    """
    opt_outs = {thread.pk: opt_out} if opt_out else {}
    return Details(
        about=details_of_threads([thread], opt_outs)[thread.pk].for_agent(agent.pk),
        labels=labels_on(thread, labels),
        files=read_files(thread.pk, thread.inbox.seq),
        others=list(threads_elsewhere(thread, agent)),
    )


def read_files(
    thread_id: int, seq: int, *, before: int | None = None, limit: int = FILES_SHOWN
) -> FilesPart:
    """Return the newest files of a thread, or those before one; one query down an index."""
    files = Attachment.objects.shown_in(thread_id)
    if before is not None:
        files = files.filter(pk__lt=before)
    found = list(files[: limit + 1])
    return FilesPart(thread_id, seq, found[:limit], has_more=len(found) > limit)


def threads_elsewhere(thread: Thread, agent: Agent) -> QuerySet[Thread]:
    """Return the contact's threads in the agent's other inboxes, the newest first."""
    visible = Thread.objects.visible_to(agent).exclude(pk=thread.pk)
    same = visible.filter(contact__address=thread.contact.address)
    newest_first = same.order_by(F("last_at").desc(nulls_last=True), "-pk")
    return newest_first.select_related("inbox")[:OTHERS_SHOWN]
