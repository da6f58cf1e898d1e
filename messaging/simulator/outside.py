"""Do what the outside world does: post webhooks over HTTP, signed like a carrier's."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx
from django.conf import settings
from django.db import connection
from django.urls import reverse

from messaging.attachments.sniffing import sniff_type
from messaging.attachments.storing import store_bytes
from messaging.carriers import http
from messaging.carriers.simulator import signature, way_inside
from messaging.models import Number
from messaging.simulator.models import FarEnd, File, Text, new_text_id

log = logging.getLogger(__name__)

WEBHOOK_TIMEOUT = 10.0
# Seconds between tries of a receipt that found nobody, as carriers repeat theirs.
REPEATS = (0.5, 1.0, 2.0, 4.0, 8.0)

Step = tuple[float, str, str]  # Seconds to wait, state, code

PLANS: dict[str, Sequence[Step]] = {
    FarEnd.Receipts.DELIVERED: ((0.4, "sent", ""), (0.8, "delivered", "")),
    FarEnd.Receipts.LATE: ((15.0, "sent", ""), (1.0, "delivered", "")),
    FarEnd.Receipts.REVERSED: ((0.4, "delivered", ""), (1.5, "sent", "")),
    FarEnd.Receipts.FAILED: ((0.4, "sent", ""), (0.8, "failed", "transient")),
    FarEnd.Receipts.NONE: (),
}


class Unreachable(Exception):
    """Say that Partyline did not take the webhook; the message is for the handset."""


def text_in(*, sender: str, number: Number, text: str, files: Sequence[bytes] = ()) -> None:
    """Send a text from a handset to one of our numbers, and keep it there. Raise Unreachable."""
    held = [_hold_ready(data) for data in files]
    message_id = new_text_id()
    event: dict[str, object] = {
        "type": "message",
        "id": message_id,
        "from": sender,
        "to": number.address,
        "text": text,
        "sent_at": datetime.now(UTC).isoformat(),
    }
    if held:
        pairs = zip(held, files, strict=True)
        event["media"] = [_describe(file, data) for file, data in pairs]
    secret = number.account.get_credentials().get("secret", "")
    try:
        status = post_webhook(number.account.webhook_url, event, secret)
    except httpx.HTTPError as error:
        raise Unreachable("Partyline didn't answer. Is it running?") from error
    if not 200 <= status < 300:
        raise Unreachable(f"Partyline rejected the text (status {status}).")
    sent = Text.objects.create(
        carrier_message_id=message_id, sender=sender, recipient=number.address, body=text
    )
    File.objects.filter(pk__in=[file.pk for file in held]).update(text=sent)


def _hold_ready(data: bytes) -> File:
    """Keep a file where Partyline is told to fetch it, as carriers do."""
    return File.objects.create(content_type=sniff_type(data), stored_name=store_bytes(data))


def _describe(file: File, data: bytes) -> dict[str, object]:
    return {
        "url": settings.PUBLIC_URL + reverse("simulator:file", args=[file.token]),
        "content_type": file.content_type,
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }


def fetch_later(text: Text, urls: Sequence[str]) -> None:
    """Fetch a text's files to its handset in another thread, as a carrier would."""
    ours = [url for url in urls if url.startswith(f"{settings.PUBLIC_URL}/media/")]
    if ours:
        threading.Thread(
            target=_fetch, args=(text, ours), name="simulator-media", daemon=True
        ).start()


def _fetch(text: Text, urls: Sequence[str]) -> None:
    try:
        with http.new_client(WEBHOOK_TIMEOUT) as client:
            for url in urls:
                inside, headers = way_inside(url)
                answer = client.get(inside, headers=headers)
                if answer.status_code != 200:
                    log.warning("The simulator could not fetch a picture: %s", answer.status_code)
                    continue
                data = answer.content
                File.objects.create(
                    text=text, content_type=sniff_type(data), stored_name=store_bytes(data)
                )
    except httpx.HTTPError:
        log.warning("The simulator found nobody who would hand a picture over.")
    finally:
        connection.close()


def post_webhook(url: str, event: Mapping[str, object], secret: str) -> int:
    """POST one signed event and return the status of the answer. Raise httpx.HTTPError."""
    body = json.dumps(event).encode()
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    headers = {
        "content-type": "application/json",
        "x-simulator-signature": signature(secret, path, body),
    }
    inside, more = way_inside(url)
    with http.new_client(WEBHOOK_TIMEOUT) as client:
        return client.post(inside, content=body, headers=headers | more).status_code


def is_ours(callback_url: str) -> bool:
    """Return True if receipts may go there: only webhooks of this installation."""
    return callback_url.startswith(f"{settings.PUBLIC_URL}/webhooks/simulator/")


def report_later(
    *, message_id: str, callback_url: str, secret: str, receipts: str, head_start: float = 0.0
) -> None:
    """Send the receipts from another thread, which ends with the process."""
    steps = PLANS[receipts]
    if not steps or not is_ours(callback_url):
        return
    threading.Thread(
        target=_report,
        args=(message_id, callback_url, secret, steps, head_start),
        name="simulator-receipts",
        daemon=True,
    ).start()


def _report(
    message_id: str, callback_url: str, secret: str, steps: Sequence[Step], head_start: float
) -> None:
    time.sleep(head_start)
    for wait, state, code in steps:
        time.sleep(wait)
        event = {"type": "receipt", "id": message_id, "state": state, "code": code}
        if not _posted(callback_url, event, secret):
            log.warning("The simulator gave up a receipt: nobody took it.")
            return


def _posted(url: str, event: dict[str, str], secret: str) -> bool:
    for pause in (*REPEATS, 0.0):
        try:
            if post_webhook(url, event, secret) < 500:
                return True
        except httpx.HTTPError:
            log.debug("A receipt of the simulator found nobody.")
        time.sleep(pause)
    return False
