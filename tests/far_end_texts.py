"""The texts of the carriers' far end (`far_end.py`): as they come in, and as a log has them."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qs


@dataclass
class Text:
    """Hold one text as a carrier keeps it."""

    carrier: str
    id: str
    sender: str
    recipient: str
    body: str
    callback: str
    state: str = "queued"
    at: float = field(default_factory=time.time)

    @property
    def is_inbound(self) -> bool:
        return self.state == "received"

    def log_record(self) -> dict[str, Any]:
        return {
            "sid": self.id,
            "from": self.sender,
            "to": self.recipient,
            "body": self.body,
            "status": self.state,
            "direction": "inbound" if self.is_inbound else "outbound-api",
            "num_media": "0",
            "error_code": 30003 if self.state == "failed" else None,
            "date_created": formatdate(self.at, usegmt=True),
        }


def sent_text(path: str, raw: bytes) -> Text:
    """Read a text: Twilio's form, which SignalWire shares, or the JSON of any other carrier."""
    if path.removesuffix(".json").endswith("/Messages"):
        form = {key: values[0] for key, values in parse_qs(raw.decode(), True).items()}
        sender, to, body, callback = (
            form.get(key, "") for key in ("From", "To", "Body", "StatusCallback")
        )
        return Text("twilio", "SM" + uuid.uuid4().hex, sender, to, body, callback)
    fields = json.loads(raw)
    recipient = fields.get("to") or fields["dst"]
    return Text(
        "simulator",
        "sim-" + uuid.uuid4().hex,
        fields.get("from") or fields["src"],
        recipient[0] if isinstance(recipient, list) else recipient,
        fields["text"],
        fields.get("callback_url", ""),
    )
