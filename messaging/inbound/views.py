from __future__ import annotations

import logging

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import RawPostDataException
from django.views.decorators.csrf import csrf_exempt

from inboxes.encryption import UndecryptableError
from inboxes.integers import read_integer
from messaging.accounts import probes, webhook_paths
from messaging.carriers import UnknownCarrier, events
from messaging.inbound.nonces import use_nonce
from messaging.inbound.receiving import receive_webhook
from messaging.inbound.rejections import count_rejection
from messaging.models import CarrierAccount

log = logging.getLogger(__name__)


@csrf_exempt
def receive_webhook_request(
    request: HttpRequest, carrier: str, account_token: str, attempt_token: str | None = None
) -> HttpResponse:
    """Verify and store a carrier's request. Only a 2xx means that it is stored."""
    path = webhook_paths.WebhookPath.of(carrier, account_token, attempt_token)
    account = _find_account(path)
    adapter = account.adapter
    raw = _read_request(request)
    if raw is None:
        return HttpResponse("The body is too large.", status=413, content_type="text/plain")
    if probes.is_probe(raw, account):
        return probes.answer_probe(request, raw, account)
    if raw.method != "POST" and not (raw.method == "GET" and adapter.takes_get):
        return _refuse_method(account, raw)
    try:
        credentials = account.get_credentials()
    except UndecryptableError:
        log.error("The secret of carrier account %s cannot be decrypted.", account.pk)
        reason = "Its stored secret can't be decrypted. Enter it again."
        count_rejection(account=account, reason=reason)
        return HttpResponse("Not ready.", status=503, content_type="text/plain")
    try:
        adapter.verify(raw, credentials, settings.PUBLIC_URL)
    except events.VerificationError as error:
        return _reject_request(account, raw, error.reason)
    if raw.method == "GET":
        raw = webhook_paths.as_form(raw)
    nonce = adapter.nonce(raw)
    if nonce and not use_nonce(account=account, nonce=nonce, request=raw):
        return _reject_request(account, raw, "the signature's nonce was used for another request")
    receive_webhook(account=account, request=raw, attempt_token=path.attempt_token)
    body, content_type = adapter.ack()
    return HttpResponse(body, content_type=content_type)


def _find_account(path: webhook_paths.WebhookPath) -> CarrierAccount:
    """Raise Http404 unless the path names an active account of a carrier that is known here."""
    try:
        account = CarrierAccount.objects.get(
            carrier=path.carrier, token=path.account_token, is_active=True
        )
        account.adapter  # noqa: B018  raises UnknownCarrier
    except (CarrierAccount.DoesNotExist, UnknownCarrier):
        raise Http404("No such account.") from None
    return account


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
        method=request.method or "",
        path=webhook_paths.called_path(request),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
    )


def _refuse_method(account: CarrierAccount, raw: events.RawRequest) -> HttpResponse:
    """Refuse a request that is no POST, and say to administrators what to set."""
    method = raw.method if raw.method in ("GET", "HEAD", "PUT") else "another method"
    setting = account.adapter.explain_method(raw)
    count_rejection(account=account, reason=f"it came by {method} instead of POST: {setting}")
    allowed = "GET, POST" if account.adapter.takes_get else "POST"
    return HttpResponse("Not a POST.", status=405, headers={"Allow": allowed})


def _reject_request(account: CarrierAccount, raw: events.RawRequest, reason: str) -> HttpResponse:
    adapter = account.adapter
    if adapter.challenge and "authorization" not in raw.headers:
        headers = {"WWW-Authenticate": adapter.challenge}
        return HttpResponse("Not verified.", status=401, headers=headers)
    if raw.method == "GET":
        reason = f"it came by GET, and {reason}: {adapter.explain_method(raw)}"
    count_rejection(account=account, reason=reason)
    return HttpResponse("Not verified.", status=adapter.rejection_status)
