"""Delete sessions that are over, and what is left of them."""

from __future__ import annotations

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db.models import Exists, Model, OuterRef, QuerySet
from django.utils import timezone

from inboxes.models import PhoneSignIn

DELETED_AT_ONCE = 1000


def delete_expired_sessions() -> int:
    """Delete expired sessions, list rows without a session, and codes for phones that ran out.

    Return how many sessions there were. Each batch is committed by itself.
    """
    now = timezone.now()
    count = _delete_in_batches(Session.objects.filter(expire_date__lt=now))
    is_there = Exists(Session.objects.filter(session_key=OuterRef("session_key")))
    _delete_in_batches(UserSession.objects.filter(~is_there))
    _delete_in_batches(PhoneSignIn.objects.filter(expires_at__lt=now))
    return count


def _delete_in_batches(rows: QuerySet[Model]) -> int:
    count = 0
    while keys := list(rows.values_list("pk", flat=True)[:DELETED_AT_ONCE]):
        count += rows.filter(pk__in=keys).delete()[0]
    return count
