"""What holds for every answer, whoever made it."""

import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import DataError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.shortcuts import resolve_url
from django.template.loader import render_to_string
from django.template.response import TemplateResponse

from inboxes.passwords import RETRY_AFTER_SECONDS, PasswordsBusy
from inboxes.sign_in import PasswordsBusyMixin

logger = logging.getLogger(__name__)


class Around:
    """A middleware that changes the answer on its way out."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.changed(request, self.get_response(request))

    def changed(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        return response


class CompressedPages(GZipMiddleware):
    """Compresses pages alone: pictures and files are compact already, and their length is wanted.

    What it adds of random length hides how well a page was compressed (BREACH).
    """

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        if not response.headers.get("Content-Type", "").startswith("text/html"):
            return response
        return super().process_response(request, response)


class PrivateAnswers(Around):
    """Forbids storing any answer to a browser that has a session, or that is sent to sign in.

    It looks at the cookie and not at the person, so that it asks the database nothing.
    """

    def changed(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        cookie = settings.SESSION_COOKIE_NAME
        to_sign_in = response.headers.get("Location", "").startswith(
            resolve_url(settings.LOGIN_URL)
        )
        if cookie in request.COOKIES or cookie in response.cookies or to_sign_in:
            response.headers["Cache-Control"] = "private, no-store"
        return response


class NoNul(Around):
    """Answers 400 where a request would have PostgreSQL look for a NUL, as admin's filters do."""

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseBase | None:
        if not isinstance(exception, DataError) or "NUL (0x00)" not in str(exception):
            return None
        return HttpResponse("It holds a NUL.", status=400, content_type="text/plain")


class DatabaseAway(Around):
    """Answers a webhook 503 while the database cannot be had: the carrier then tries again."""

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseBase | None:
        if not isinstance(exception, OperationalError | InterfaceError):
            return None
        if not request.path.startswith("/webhooks/"):
            return None
        logger.error("webhook refused, no database: %s", type(exception.__cause__).__name__)
        return HttpResponse("The database is away.", status=503, content_type="text/plain")


class BusyPasswords(Around):
    """Answers 503 where a password could not be hashed now: with the form that was filled in when
    it is one to sign in by, else with a page."""

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
