"""Every change of messages that an agent, a carrier or an administrator can cause."""

from messaging.actions.receipts import apply_receipt
from messaging.actions.receiving import receive_webhook, replay_webhook
from messaging.actions.sending import SendingRefused, retry_message, send_text

__all__ = [
    "SendingRefused",
    "apply_receipt",
    "receive_webhook",
    "replay_webhook",
    "retry_message",
    "send_text",
]
