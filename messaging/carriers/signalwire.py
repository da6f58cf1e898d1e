"""SignalWire's Compatibility API: Twilio's dialect at the space's own address.

Follows SignalWire's "Webhook security" and "Compatibility API: messages". Its own error codes are
not documented in one place; those that it shares with Twilio are read as Twilio's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from django.conf import settings

from messaging.carriers import results
from messaging.carriers.base import CredentialField
from messaging.carriers.twilio import Twilio

SPACE = re.compile(r"(?:https://)?([a-z0-9-]+)(?:\.signalwire\.com)?/?", re.IGNORECASE)


class SignalWire(Twilio):
    """Speak SignalWire's dialect."""

    name: ClassVar[str] = "signalwire"
    label: ClassVar[str] = "SignalWire"
    answers_help: ClassVar[bool] = False
    confirmed_words: ClassVar[frozenset[str]] = frozenset()
    credential_fields: ClassVar[tuple[CredentialField, ...]] = (
        CredentialField("space", "Space", True, "The name before .signalwire.com."),
        CredentialField("project_id", "Project ID", True, ""),
        CredentialField("api_token", "API token", True, "It needs the scope Messaging."),
        *CredentialField(
            "signing_key", "Signing key", True, "Under API Credentials; it signs the webhooks."
        ).rotating(),
    )
    capabilities: ClassVar[results.Capabilities] = results.Capabilities(
        longest_text=1600,
        media_count=8,
        media_bytes=5_000_000,
        media_types=frozenset({"image/jpeg", "image/png", "image/gif"}),
        can_look_up=True,
        can_list_inbound=True,
    )
    login: ClassVar[tuple[str, str]] = ("project_id", "api_token")
    signature_header: ClassVar[str] = "x-signalwire-signature"
    signing_secret: ClassVar[tuple[str, str]] = ("signing_key", "signing key")
    other_channel: ClassVar[str] = (
        "It came by {channel}; Partyline serves SMS and MMS. In SignalWire's space, take this "
        "address out of the settings for {channel}."
    )
    conversations: ClassVar[str] = (
        "It is an event of a conversation, not of a text. In SignalWire's space, at the number, "
        "choose LaML Webhooks for incoming messages."
    )
    media_hosts: ClassVar[tuple[str, ...]] = (
        ".signalwire.com",
        "s3.us-east-2.amazonaws.com/files.signalwire.com/",
    )

    def api_url(self, credentials: Mapping[str, str]) -> str:
        """Return the space's address; empty if no space is stored."""
        if given := getattr(settings, "SIGNALWIRE_API_URL", ""):
            return f"{str(given).rstrip('/')}/api/laml"
        space = SPACE.fullmatch(credentials.get("space", "").strip())
        return f"https://{space[1].lower()}.signalwire.com/api/laml" if space else ""
