"""Every change of messages that an agent, a carrier or an administrator can cause."""

from messaging.actions.hiding import delete_thread
from messaging.actions.notifying import (
    delete_old_notifications,
    mark_notifications_read,
    set_preference,
    set_sound,
    subscribe_push,
    unsubscribe_push,
)
from messaging.actions.receipts import apply_receipt
from messaging.actions.receiving import receive_webhook, replay_webhook
from messaging.actions.sending import SendingRefused, retry_message, write_message

__all__ = [
    "SendingRefused",
    "apply_receipt",
    "delete_old_notifications",
    "delete_thread",
    "mark_notifications_read",
    "receive_webhook",
    "replay_webhook",
    "retry_message",
    "set_preference",
    "set_sound",
    "subscribe_push",
    "unsubscribe_push",
    "write_message",
]
