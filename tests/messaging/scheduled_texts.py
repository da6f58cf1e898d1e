"""Schedule texts for the tests, and make them due."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.utils import timezone

from messaging.models import ScheduledText
from messaging.outbound.scheduling import schedule_text
from tests.cast import Cast
from threads.models import Thread

HOUR = timedelta(hours=1)


def schedule_in(cast: Cast, thread: Thread, **details: Any) -> ScheduledText:
    defaults: dict[str, Any] = {
        "author": cast.ana,
        "body": "Your car is ready",
        "send_at": timezone.now() + HOUR,
        "form_key": uuid.uuid4(),
        "has_read_placeholders": True,
    }
    return schedule_text(thread=thread, **(defaults | details))


def make_due(text: ScheduledText, ago: timedelta = timedelta(seconds=1)) -> ScheduledText:
    ScheduledText.objects.filter(pk=text.pk).update(send_at=timezone.now() - ago)
    return text
