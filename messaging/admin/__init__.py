"""Administer carrier accounts, numbers, opt-outs and the quarantine, and tell why texts failed.

It shows no conversations.
"""

from messaging.admin.accounts import CarrierAccountAdmin
from messaging.admin.attempts import AttemptAdmin
from messaging.admin.numbers import NumberAdmin
from messaging.admin.opt_outs import OptOutAdmin, OptOutSettingsAdmin
from messaging.admin.webhooks import WebhookAdmin

__all__ = [
    "AttemptAdmin",
    "CarrierAccountAdmin",
    "NumberAdmin",
    "OptOutAdmin",
    "OptOutSettingsAdmin",
    "WebhookAdmin",
]
