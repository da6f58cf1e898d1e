"""Send e-mails: plain text with a simple HTML part, in the worker and never in a request."""

from __future__ import annotations

import logging
import smtplib
import ssl
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from email.utils import make_msgid
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string

from inboxes.database import release_connection

log = logging.getLogger(__name__)

AWAY = "The e-mail server can't be reached."
REFUSED_SIGN_IN = "The e-mail server refuses the user and password of EMAIL_URL."
REFUSED_FOR_NOW = "The e-mail server refuses it for now."
REFUSED_ADDRESS = "The e-mail server refuses the address."
REFUSED_SENDER = "The e-mail server refuses the sender, EMAIL_FROM."
REFUSED = "The e-mail server refuses the e-mail."
UNSAFE = "The e-mail server offers no encryption that can be trusted."


class EmailNotSent(Exception):
    """An e-mail did not leave. The text says why, for administrators."""

    def __init__(self, sentence: str, *, is_final: bool = False) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.is_final = is_final


@dataclass(frozen=True)
class Email:
    """Hold one e-mail. `template` is the path of its two templates, without `.txt` and `.html`."""

    to: str
    subject: str
    template: str
    context: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


def sends_email() -> bool:
    """Return True if this installation has an e-mail server."""
    return bool(settings.EMAIL_URL)


def send_email(email: Email) -> None:
    """Hand the e-mail to the server, holding no database connection. Raises EmailNotSent."""
    message = _build_message(email)
    release_connection()
    try:
        # Django leaves a connection open whose sign-in failed.
        with closing(get_connection()) as server:
            server.send_messages([message])
    except (OSError, smtplib.SMTPException) as error:
        # The server's own words may hold the address.
        log.warning("An e-mail was not sent: %s", _name_error(error))
        raise _explain(error) from None


def _build_message(email: Email) -> EmailMultiAlternatives:
    context = {**email.context, "subject": email.subject}
    message = EmailMultiAlternatives(
        subject=" ".join(email.subject.split()),
        body=render_to_string(f"{email.template}.txt", context),
        from_email=settings.EMAIL_FROM,
        to=[email.to],
        headers={
            # Django would name this machine.
            "Message-ID": make_msgid(domain=settings.PUBLIC_HOST.strip("[]")),
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
            **email.headers,
        },
    )
    message.attach_alternative(render_to_string(f"{email.template}.html", context), "text/html")
    return message


def _name_error(error: Exception) -> str:
    code = getattr(error, "smtp_code", None)
    return f"{type(error).__name__} {code}" if code else type(error).__name__


def _explain(error: Exception) -> EmailNotSent:
    """Return what became of it. Answers of 500 and more are final (RFC 5321, 4.2.1)."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return EmailNotSent(REFUSED_SIGN_IN)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        is_final = all(code >= 500 for code, _ in error.recipients.values())
        return EmailNotSent(REFUSED_ADDRESS if is_final else REFUSED_FOR_NOW, is_final=is_final)
    if isinstance(error, ssl.SSLError | smtplib.SMTPNotSupportedError):
        return EmailNotSent(UNSAFE)
    if isinstance(error, smtplib.SMTPSenderRefused):
        return EmailNotSent(REFUSED_SENDER)
    if isinstance(error, smtplib.SMTPServerDisconnected | smtplib.SMTPConnectError):
        return EmailNotSent(AWAY)
    if isinstance(error, smtplib.SMTPResponseException):
        is_final = error.smtp_code >= 500
        return EmailNotSent(REFUSED if is_final else REFUSED_FOR_NOW, is_final=is_final)
    return EmailNotSent(REFUSED_FOR_NOW if isinstance(error, smtplib.SMTPException) else AWAY)
