"""Let a number of an account route to an inbox."""

from __future__ import annotations

from django.db import transaction

from inboxes.models import Inbox
from messaging.models import CarrierAccount, Number, Webhook
from messaging.models.webhooks import UNKNOWN_NUMBER
from messaging.stream.jobs import defer_replay
from messaging.stream.replies import follow_number


@transaction.atomic
def add_number(*, account: CarrierAccount, address: str, inbox: Inbox) -> Number:
    """Route the number to the inbox. Texts that came before wait in quarantine, and are replayed.

    Raise IntegrityError if the number is ours already, or the inbox has one.
    """
    number = Number.objects.create(account=account, address=address, inbox=inbox)
    follow_number(inbox_id=inbox.pk, our_addresses=[address])
    replay_quarantine(account)
    return number


def replay_quarantine(account: CarrierAccount) -> None:
    """Have the texts replayed that came to numbers of the account which we did not know."""
    waiting = Webhook.objects.quarantined().filter(account=account, reason=UNKNOWN_NUMBER)
    newest = waiting.order_by("-pk").values_list("pk", flat=True).first()
    if newest is not None:
        defer_replay(account_id=account.pk, reason=UNKNOWN_NUMBER, upto=newest)
