"""Carrier accounts, numbers, opt-outs, and the quarantine. Conversations are not shown here."""

from messaging.admin.accounts import CarrierAccountAdmin
from messaging.admin.numbers import NumberAdmin
from messaging.admin.opt_outs import OptOutAdmin
from messaging.admin.webhooks import WebhookAdmin

__all__ = ["CarrierAccountAdmin", "NumberAdmin", "OptOutAdmin", "WebhookAdmin"]
