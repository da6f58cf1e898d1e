"""Class Plivo's error codes, by the words of its list."""

from __future__ import annotations

from messaging.carriers import events

ERROR_CLASSES = events.class_by_code(
    {
        "account": "910",
        "bad_address": "50 70 100",
        "content": "10",
        "country": "450",
        "expired": "420",
        "filtered": "30",
        "funds": "900",
        "no_route": "60 90 201",
        "opted_out": "200",
        "other": "1000",
        "sender": "40",
        "server": "20 300",
        "too_long": "110",
        "transient": "80",
    }
)
