"""Write texts into a cluster's database, all in one transaction, for a worker that starts later.

    python -m tests.bench.text_writer COUNT [INBOXES]

It writes COUNT texts in each thread of Front Desk, or in one thread in each of INBOXES inboxes
with numbers of their own. Run it with the cluster's environment.
"""

from __future__ import annotations

import sys
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threads.models import Thread

BODY = "The pump is here. We are open until six."


def main(count: int, inboxes: int) -> None:
    import django

    django.setup()
    from django.db import transaction

    from inboxes.models import Agent
    from messaging.outbound.sending import write_message
    from threads.models import Thread

    author = Agent.objects.get(username="ana")
    front_desk = Thread.objects.filter(inbox__name="Front Desk").order_by("pk")
    threads = [_make_thread(index) for index in range(inboxes)] or list(front_desk)
    with transaction.atomic():
        for _ in range(count):
            for thread in threads:
                write_message(thread=thread, author=author, body=BODY, form_key=uuid.uuid4())


def _make_thread(index: int) -> Thread:
    """Return the thread in the inbox with that index, and create both if they are missing."""
    from django.db import transaction

    from inboxes.models import Inbox
    from messaging.carriers import events
    from messaging.inbound.receiving import store_text
    from messaging.models import CarrierAccount, Number
    from threads.models import Thread

    inbox, is_new = Inbox.objects.get_or_create(name=f"Line {index}")
    if is_new:
        account, address = CarrierAccount.objects.get(), f"+1202555{300 + index:04d}"
        Number.objects.create(
            address=address, account=account, inbox=inbox, segments_per_second=1000
        )
        text = events.InboundText(f"SMline{index}", "+13035559999", address, "Is anybody there?")
        with transaction.atomic():
            store_text(text, account=account)
    return Thread.objects.get(inbox=inbox)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
