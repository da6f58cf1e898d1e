"""Ask an author before a text would reach its contact at a quiet hour of the contact's own day."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from messaging.models import Message
from threads import local_times
from threads.models import Contact, Thread

# Whoever wrote less long ago is awake.
ANSWER_TIME = timedelta(hours=1)


class InQuietHours(Exception):
    """A text would reach its contact at a quiet hour, which its author has to say yes to.

    `at` is when it would leave, `zone` a time zone in which that is a quiet hour; `is_certain`
    tells that it is one wherever the contact may be. `morning` is when it would be one nowhere,
    and `morning_zone` where it is 8:00 then.
    """

    def __init__(self, contact: Contact, at: datetime, zones: tuple[ZoneInfo, ...]) -> None:
        super().__init__()
        self.contact = contact
        self.at = at
        self.zone = next(zone for zone in zones if local_times.is_quiet(zone, at))
        self.is_certain = local_times.find_quiet(zones, at) == "everywhere"
        self.morning = local_times.next_morning(zones, max(at, timezone.now()))
        self.morning_zone = local_times.zone_of_morning(zones, self.morning)

    @property
    def is_later(self) -> bool:
        """Return True for a text that is being scheduled."""
        return self.at > timezone.now() + timedelta(minutes=1)


def check_quiet_hours(thread: Thread, *, at: datetime | None = None, is_asked: bool) -> None:
    """Raise InQuietHours if a text that leaves then, or now, would reach the contact at night.

    It does not if the inbox has no quiet hours, if nobody knows where the contact may be, or if
    they have just written. `is_asked` tells that the author has said yes.
    """
    if is_asked or not thread.inbox.has_quiet_hours:
        return
    moment = at or timezone.now()
    contact = thread.contact
    zones = local_times.possible_zones(contact.address, contact.time_zone)
    if local_times.find_quiet(zones, moment) == "nowhere" or _is_answer(thread, moment):
        return
    raise InQuietHours(contact, moment, zones)


def _is_answer(thread: Thread, at: datetime) -> bool:
    texts = Message.objects.filter(thread=thread, kind=Message.Kind.INBOUND)
    newest = texts.order_by("-pk").first()
    return newest is not None and at - newest.shown_at <= ANSWER_TIME
