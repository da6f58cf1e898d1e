"""Hold messages, their attempts and receipts, carrier accounts and numbers."""

from messaging.models.accounts import CarrierAccount, Number
from messaging.models.attachments import Attachment, PublicLink
from messaging.models.attempts import Attempt
from messaging.models.automatic_answers import AutomaticAnswer
from messaging.models.bulk import BulkAction, BulkItem
from messaging.models.comparisons import Comparison
from messaging.models.connections import ConnectionEvent, NumberConnection, NumberListing
from messaging.models.contact_imports import ContactImport, ContactImportLine
from messaging.models.email_preferences import EmailPreference
from messaging.models.first_start import FirstStart
from messaging.models.messages import Message
from messaging.models.nonces import UsedNonce
from messaging.models.notifications import Notification, NotificationPreference, PushSubscription
from messaging.models.opt_outs import OptOut, OptOutSettings
from messaging.models.paces import Pace
from messaging.models.receipts import DeliveryReceipt
from messaging.models.rejections import Rejection
from messaging.models.saved_replies import SavedReply, SavedReplyFile
from messaging.models.scheduled import ScheduledText
from messaging.models.states import DeliveryState
from messaging.models.webhooks import Webhook

__all__ = [
    "Attachment",
    "Attempt",
    "AutomaticAnswer",
    "BulkAction",
    "BulkItem",
    "CarrierAccount",
    "Comparison",
    "ConnectionEvent",
    "ContactImport",
    "ContactImportLine",
    "DeliveryReceipt",
    "DeliveryState",
    "EmailPreference",
    "FirstStart",
    "Message",
    "Notification",
    "NotificationPreference",
    "Number",
    "NumberConnection",
    "NumberListing",
    "OptOut",
    "OptOutSettings",
    "Pace",
    "PublicLink",
    "PushSubscription",
    "Rejection",
    "SavedReply",
    "SavedReplyFile",
    "ScheduledText",
    "UsedNonce",
    "Webhook",
]
