"""Administer carrier accounts, numbers, labels, opt-outs and the quarantine, and tell why texts
failed.

It shows no conversations.
"""

from messaging.admin.accounts import CarrierAccountAdmin
from messaging.admin.attempts import AttemptAdmin
from messaging.admin.hours import describe_size
from messaging.admin.labels import LabelInline
from messaging.admin.numbers import NumberAdmin
from messaging.admin.opt_outs import OptOutAdmin, OptOutSettingsAdmin
from messaging.admin.webhooks import WebhookAdmin

__all__ = [
    "AttemptAdmin",
    "CarrierAccountAdmin",
    "LabelInline",
    "NumberAdmin",
    "OptOutAdmin",
    "OptOutSettingsAdmin",
    "WebhookAdmin",
    "describe_size",
]
