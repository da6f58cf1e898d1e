"""Give the demo's inboxes hours, and an answer that one only has to turn on."""

from __future__ import annotations

from typing import Any

# The answer is off: a trial's phone would get other texts at night than by day.
HOURS: dict[str, dict[str, Any]] = {
    "Front Desk": {
        "weekly_hours": [[["08:00", "18:00"]]] * 6 + [[]],
        "time_zone": "America/New_York",
        "holiday_region": "US",
        "closed_text": "Thanks for your text! We're closed now. We open {opens} and answer then.",
        "greeting_text": "Thanks for texting {inbox}! We usually answer within an hour.",
    },
}
