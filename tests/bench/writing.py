"""Writes texts into a cluster's database, all in one transaction, for a worker that comes later.

    python -m tests.bench.writing COUNT

So many in each thread; run with the cluster's environment.
"""

from __future__ import annotations

import sys
import uuid

BODY = "The pump is here. We are open until six."


def main(count: int) -> None:
    import django

    django.setup()
    from django.db import transaction

    from inboxes.models import Agent
    from messaging.actions import write_message
    from threads.models import Thread

    author = Agent.objects.get(username="ana")
    threads = list(Thread.objects.order_by("pk"))
    with transaction.atomic():
        for _ in range(count):
            for thread in threads:
                write_message(thread=thread, author=author, body=BODY, form_key=uuid.uuid4())


if __name__ == "__main__":
    main(int(sys.argv[1]))
