"""Public links from which carriers fetch pictures: signed, for one attempt and a limited time.

The database refuses a link unless its message is outbound (migration 0007).
"""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from messaging.attachments.drafts import carrier_objection
from messaging.attachments.isolation import shrink_picture
from messaging.attachments.pictures import CannotShrink
from messaging.attachments.sniffing import file_extension
from messaging.attachments.storing import delete_stored, load_bytes, store_bytes
from messaging.carriers import results
from messaging.models import Attachment, Attempt, PublicLink

log = logging.getLogger(__name__)

# Carriers fetch at once, or when a text's turn comes; none holds a text for more than some hours.
VALID_FOR = timedelta(hours=24)

BATCH = 1000

SALT = "messaging.attachments.links"


class NotPublished(Exception):
    """Raised when the text cannot go out with its files; `result` ends the attempt."""

    def __init__(self, result: results.Rejected | results.NotSent) -> None:
        super().__init__()
        self.result = result


def publish_files(attempt: Attempt) -> tuple[str, ...]:
    """Return public addresses of the files of the attempt's message, with pictures made to fit.

    Raises NotPublished: nothing was sent.
    """
    if not attempt.message.has_attachments:
        return ()
    files = list(attempt.message.attachments.order_by("pk"))
    capabilities = attempt.account.adapter.capabilities
    if carrier_objection(files, capabilities):
        raise NotPublished(results.Rejected("", "media", "the carrier takes no such files"))
    new_names: list[str] = []
    try:
        links = _build_links(attempt, files, capabilities, new_names)
        with transaction.atomic():
            PublicLink.objects.bulk_create(links)
    except CannotShrink:
        delete_stored(new_names)
        raise NotPublished(results.Rejected("", "media", "no version was small enough")) from None
    except Exception as error:
        # A fault of the storage or of ours: the carrier was not called, so the text is tried
        # again.
        log.exception("The files of attempt %s cannot be read.", attempt.pk)
        delete_stored(new_names)
        raise NotPublished(results.NotSent("the files could not be read")) from error
    return tuple(public_url(link) for link in links)


def _build_links(
    attempt: Attempt,
    files: list[Attachment],
    capabilities: results.Capabilities,
    new_names: list[str],
) -> list[PublicLink]:
    """Build the links; `new_names` collects the names of files that were stored for them."""
    pictures = [one for one in files if one.is_picture]
    room = capabilities.media_bytes - sum(one.size for one in files if not one.is_picture)
    is_too_much = sum(one.size for one in pictures) > room
    limit = room // len(pictures) if pictures and is_too_much else room
    links = []
    for one in files:
        smaller = None
        if one.is_picture and (is_too_much or one.content_type not in capabilities.media_types):
            smaller = shrink_picture(
                load_bytes(one.stored_name),
                one.content_type,
                types=capabilities.media_types,
                limit=limit,
            )
        if smaller is not None:
            new_names.append(store_bytes(smaller))
        links.append(
            PublicLink(
                attachment=one,
                attempt=attempt,
                stored_name=new_names[-1] if smaller is not None else "",
                content_type=one.content_type if smaller is None else "image/jpeg",
                expires_at=timezone.now() + VALID_FOR,
            )
        )
    return links


def public_url(link: PublicLink) -> str:
    signed = signing.dumps(
        [link.token.hex, link.attachment_id, link.attempt_id], salt=SALT, compress=False
    )
    name = f"media.{file_extension(link.content_type)}"
    return settings.PUBLIC_URL + reverse("messaging:public_media", args=[signed, name])


def find_link(signed: str) -> PublicLink | None:
    """Return the link, unless it is forged, expired, or was made for something else."""
    try:
        token, attachment_id, attempt_id = signing.loads(signed, salt=SALT, max_age=VALID_FOR)
        link_token = uuid.UUID(token)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    links = PublicLink.objects.filter(
        token=link_token,
        attachment=attachment_id,
        attempt=attempt_id,
        attachment__message__kind="outbound",
        expires_at__gt=timezone.now(),
    )
    return links.select_related("attachment").first()


def delete_expired() -> int:
    """Delete expired links and the files that were made for them; return how many."""
    over = PublicLink.objects.filter(expires_at__lt=timezone.now())
    count = 0
    while True:
        with transaction.atomic():
            links = list(over.select_for_update(skip_locked=True).order_by("pk")[:BATCH])
            PublicLink.objects.filter(pk__in=[link.pk for link in links]).delete()
        delete_stored([link.stored_name for link in links])
        count += len(links)
        if len(links) < BATCH:
            return count
