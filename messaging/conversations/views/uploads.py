"""Files that come with the composer's form, without scripts."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, QueryDict

from inboxes.models import Agent
from messaging.attachments.drafts import FileRefused, add_file, remove_file
from messaging.models import Attachment
from threads.models import Thread


@dataclass(frozen=True, slots=True)
class Uploads:
    """Hold files that are in the agent's composer now, and why the next one was refused."""

    files: list[Attachment]
    error: str = ""

    def merge_into(self, posted: QueryDict) -> QueryDict:
        """Return the form's fields with these files among its attachments."""
        if not self.files:
            return posted
        data = posted.copy()
        keys = [str(file.pk) for file in self.files]
        data.setlist("attachment", [*posted.getlist("attachment"), *keys])
        return data

    def remove_unsent(self) -> None:
        """Remove files that no message took.

        A form that is sent twice made its message the first time, with its own copies.
        """
        for file in self.files:
            remove_file(attachment=file)


def add_uploads(request: HttpRequest, thread: Thread | None, agent: Agent) -> Uploads:
    """Put the request's files into the composer, up to the first one that is refused.

    Without a thread they wait for a first text.
    """
    files: list[Attachment] = []
    try:
        for upload in request.FILES.getlist("files"):
            added = add_file(thread=thread, agent=agent, upload=upload)
            files.append(added)
    except FileRefused as error:
        return Uploads(files, str(error))
    return Uploads(files)
