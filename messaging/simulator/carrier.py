"""Answer as the simulated carrier's API, to which texts are posted."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from inboxes.access import hide_unless
from messaging.carriers import events, parsing
from messaging.simulator import access, line
from messaging.simulator.models import FarEnd, Text
from messaging.simulator.outside import fetch_later, report_later

FIELDS = ("from", "to", "text", "callback_url")
REFUSALS: Mapping[str, tuple[int, dict[str, str], dict[str, str]]] = {
    FarEnd.Answer.THROTTLE: (429, {"code": "throttled"}, {"Retry-After": "3"}),
    FarEnd.Answer.ERROR: (500, {}, {}),
    FarEnd.Answer.REJECT: (400, {"code": "bad_address", "words": "Not a mobile number"}, {}),
    FarEnd.Answer.OPT_OUT: (400, {"code": "opted_out", "words": "Blocked by STOP"}, {}),
}


@csrf_exempt
@hide_unless(access.may_post_text)
@require_POST
def take_text(request: HttpRequest) -> HttpResponse:
    """Take a text, or refuse it as the far end is set to; keep what was taken as it came."""
    secret = access.account_secret(request)
    if not secret:
        return JsonResponse({"code": "auth"}, status=401)
    told = _fields(request.body)
    if told is None:
        return JsonResponse({"code": "other"}, status=400)
    far_end = FarEnd.current()
    if far_end.answer in REFUSALS:
        status, answer, headers = REFUSALS[far_end.answer]
        return JsonResponse(answer, status=status, headers=headers)
    text = Text.objects.create(sender=told["from"], recipient=told["to"], body=told["text"])
    fetch_later(text, _media(request.body))
    patience = settings.CARRIER_TIMEOUT + 1
    report_later(
        message_id=text.carrier_message_id,
        callback_url=told["callback_url"],
        secret=secret,
        receipts=far_end.receipts,
        # After a broken call the sender is left in doubt for a while before a receipt comes.
        head_start=0.0 if far_end.answer == FarEnd.Answer.ACCEPT else patience + 5,
    )
    is_cut = far_end.answer == FarEnd.Answer.RESET and line.reset(
        request.META.get("REMOTE_ADDR", ""), int(request.META.get("REMOTE_PORT") or 0)
    )
    if far_end.answer != FarEnd.Answer.ACCEPT and not is_cut:
        time.sleep(patience)
    return JsonResponse({"id": text.carrier_message_id}, status=201)


def _media(body: bytes) -> list[str]:
    """Return the addresses of the pictures. `_fields` has read the body before."""
    given = json.loads(body).get("media_urls")
    return [url for url in given if isinstance(url, str)] if isinstance(given, list) else []


def _fields(body: bytes) -> dict[str, str] | None:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    limits = {"from": parsing.ADDRESS_LIMIT, "to": parsing.ADDRESS_LIMIT}
    try:
        return {key: parsing.clean_field(key, told[key], limits.get(key)) for key in FIELDS}
    except (KeyError, TypeError, AttributeError, events.Unparsable):
        return None
