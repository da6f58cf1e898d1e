"""Middleware for all answers."""

import logging
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.shortcuts import redirect, render, resolve_url
from django.template.loader import render_to_string
from django.template.response import TemplateResponse

from config.addresses import owning_page
from config.health import healthz, readyz
from inboxes import times
from inboxes.models import Agent
from inboxes.passwords import RETRY_AFTER_SECONDS, PasswordsBusy
from inboxes.sign_in.forms import PasswordsBusyMixin
from messaging.accounts import webhook_paths
from messaging.setup import key

logger = logging.getLogger(__name__)


class ResponseMiddleware:
    """A base for middleware that changes the response on its way out."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.change_response(request, self.get_response(request))

    def change_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        return response


class PageCompressionMiddleware(GZipMiddleware):
    """Compresses only pages: attachments are compact already, and browsers need their length.

    Django adds bytes of random length, which hides how well a page was compressed (BREACH).
    """

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        if not response.headers.get("Content-Type", "").startswith("text/html"):
            return response
        return super().process_response(request, response)


class PrivateCacheMiddleware(ResponseMiddleware):
    """Forbids storing an answer to a browser that has a session, or that is sent to sign in.

    It looks at the cookie and not at the agent, which would cost a query.
    """

    def change_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        cookie = settings.SESSION_COOKIE_NAME
        to_sign_in = response.headers.get("Location", "").startswith(
            resolve_url(settings.LOGIN_URL)
        )
        if cookie in request.COOKIES or cookie in response.cookies or to_sign_in:
            response.headers["Cache-Control"] = "private, no-store"
        return response


class LocaleMiddleware:
    """Words the times of a page for the agent who asks for it: in the language and the time zone
    that their browser reported last, or in the first language that this one accepts.

    A script's requests name the zone of their own browser, which counts more: whoever travels
    chooses "tomorrow morning" by the clock of the place where they are.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with ExitStack() as stack:
            request.META["partyline.locale"] = stack
            return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: object
    ) -> None:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or view in {healthz, readyz}:
            return
        if isinstance(request.user, Agent):
            accepted = request.headers.get("Accept-Language", "").partition(",")[0]
            language = request.user.language or accepted.partition(";")[0].strip()
            stack: ExitStack = request.META["partyline.locale"]
            zone = request.headers.get("Time-Zone", "")
            known = zone if zone in times.zone_names() else request.user.time_zone
            stack.enter_context(times.reading(language, known))


class HiddenPagesMiddleware(ResponseMiddleware):
    """Answers 404 where `inboxes.access.hide_unless` hides a page from whoever asks.

    It stands before CsrfViewMiddleware, whose 403 would tell that the page exists.
    """

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: object
    ) -> None:
        may_see = getattr(view, "may_see", None)
        if may_see is not None and not may_see(request):
            raise Http404("Not for this person.")


class FirstStartMiddleware(ResponseMiddleware):
    """Says on the pages that everybody opens first that nobody has set up the installation yet."""

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: object
    ) -> HttpResponse | None:
        if request.method not in {"GET", "HEAD"}:
            return None
        if request.path not in {"/", resolve_url(settings.LOGIN_URL)}:
            return None
        if request.user.is_authenticated or not key.is_empty():
            return None
        return render(request, "setup/not_set_up.html")


class NulCharacterMiddleware(ResponseMiddleware):
    """Answers 400 if a request makes PostgreSQL search for a NUL, as filters of admin can."""

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseBase | None:
        if not isinstance(exception, DataError) or "NUL (0x00)" not in str(exception):
            return None
        return HttpResponse("It holds a NUL.", status=400, content_type="text/plain")


class WebhookHostMiddleware(ResponseMiddleware):
    """Lets webhooks in under any name of this machine: signatures are checked against PUBLIC_URL.

    Django would answer 400 to a carrier that was given a name outside ALLOWED_HOSTS.
    """

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if webhook_paths.is_webhook(request.path):
            host = urlsplit(settings.PUBLIC_URL).netloc
            request.get_host = lambda: host  # type: ignore[method-assign]  # this request alone
        return super().__call__(request)


class WrongMethodMiddleware(ResponseMiddleware):
    """Leads people who open a form's address to its page. What machines call stays as it is.

    Such addresses come from going back, or from signing in after a form was sent signed out.
    """

    def change_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        view = getattr(request.resolver_match, "func", None)
        is_for_machines = getattr(view, "csrf_exempt", False)
        if response.status_code != 405 or is_for_machines:
            return response
        allowed = response.headers.get("Allow", "")
        if request.method == "OPTIONS":
            return HttpResponse(status=204, headers={"Allow": allowed})
        page = owning_page(request.path)
        if request.method in {"GET", "HEAD"} and "HX-Request" not in request.headers:
            return redirect(page)
        return HttpResponse(
            render_to_string("405.html", {"owning_page": page}),
            status=405,
            headers={"Allow": allowed},
        )


class UnavailableDatabaseMiddleware(ResponseMiddleware):
    """Answers a webhook 503 while the database is unavailable: the carrier then tries again."""

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseBase | None:
        if not isinstance(exception, OperationalError | InterfaceError):
            return None
        if not webhook_paths.is_webhook(request.path):
            return None
        logger.error("webhook refused, no database: %s", type(exception.__cause__).__name__)
        return HttpResponse("The database is away.", status=503, content_type="text/plain")


class BusyPasswordsMiddleware(ResponseMiddleware):
    """Answers 503 if a password cannot be hashed now: with the filled-in form of a sign-in, else
    with a page that says so."""

    def process_template_response(
        self, request: HttpRequest, response: TemplateResponse
    ) -> TemplateResponse:
        form = (response.context_data or {}).get("form")
        if isinstance(form, PasswordsBusyMixin) and form.is_busy:
            response.status_code = 503
            response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return response

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseBase | None:
        if not isinstance(exception, PasswordsBusy):
            return None
        page = render_to_string("passwords_busy.html")
        return HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
