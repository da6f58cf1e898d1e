from __future__ import annotations

import logging

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import RawPostDataException
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from inboxes.integers import read_integer
from messaging.accounts import probes
from messaging.carriers import UnknownCarrier, events
from messaging.encryption import UndecryptableError
from messaging.inbound.nonces import use_nonce
from messaging.inbound.receiving import receive_webhook
from messaging.inbound.rejections import count_rejection
from messaging.models import CarrierAccount

log = logging.getLogger(__name__)


@csrf_exempt
@require_POST
def receive_webhook_request(
    request: HttpRequest, carrier: str, account_token: str, attempt_token: str | None = None
) -> HttpResponse:
    """Verify and store a carrier's request. Only a 2xx means that it is stored."""
    try:
        account = CarrierAccount.objects.get(carrier=carrier, token=account_token, is_active=True)
        adapter = account.adapter
    except (CarrierAccount.DoesNotExist, UnknownCarrier):
        raise Http404("No such account.") from None
    raw = _read_request(request)
    if raw is None:
        return HttpResponse("The body is too large.", status=413, content_type="text/plain")
    if probes.is_probe(raw, account):
        return probes.answer_probe(request, raw, account)
    try:
        credentials = account.get_credentials()
    except UndecryptableError:
        log.error("The secret of carrier account %s cannot be decrypted.", account.pk)
        reason = "Its stored secret cannot be decrypted: enter it again."
        count_rejection(account=account, reason=reason)
        return HttpResponse("Not ready.", status=503, content_type="text/plain")
    try:
        adapter.verify(raw, credentials, settings.PUBLIC_URL)
    except events.VerificationError as error:
        return _reject_request(account, raw, error.reason)
    nonce = adapter.nonce(raw)
    if nonce and not use_nonce(account=account, nonce=nonce, request=raw):
        return _reject_request(account, raw, "the signature's nonce was used for another request")
    receive_webhook(account=account, request=raw, attempt_token=attempt_token)
    body, content_type = adapter.ack()
    return HttpResponse(body, content_type=content_type)


def _read_request(request: HttpRequest) -> events.RawRequest | None:
    """Return the request's raw bytes and headers, or None if the body is over the limit."""
    length = read_integer(request.headers.get("Content-Length"))
    if length is not None and length > settings.WEBHOOK_BODY_LIMIT:
        return None
    try:
        body = request.read(settings.WEBHOOK_BODY_LIMIT + 1)
    except RawPostDataException:
        body = request.body
    if len(body) > settings.WEBHOOK_BODY_LIMIT:
        return None
    return events.RawRequest(
        method="POST",
        path=request.get_full_path(),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
    )


def _reject_request(account: CarrierAccount, raw: events.RawRequest, reason: str) -> HttpResponse:
    adapter = account.adapter
    if adapter.challenge and "authorization" not in raw.headers:
        headers = {"WWW-Authenticate": adapter.challenge}
        return HttpResponse("Not verified.", status=401, headers=headers)
    count_rejection(account=account, reason=reason)
    return HttpResponse("Not verified.", status=adapter.rejection_status)
