"""Class SignalWire's error codes, by the words of its own list.

Many numbers are Twilio's, and several mean something else here.
"""

from __future__ import annotations

from messaging.carriers import events

ERROR_CLASSES = events.class_by_code(
    {
        "account": "10001 20010",
        "auth": "10004 20003",
        "bad_address": "21211 21217 21603 21604 21606 21614 30005",
        "content": "21602",
        "daily_limit": "30027 35125",
        "expired": "30001 30009",
        "filtered": "21610 30004 30007",
        "funds": "4001 30002",
        "media": "11751 12300 21612 21620 21623 53603 63019",
        "no_media": "30011 30012",
        "no_route": "30006",
        "other": "20001 30008 63011",
        "registration": "21717",
        "sender": "21210 21212 21601 21703",
        "server": "20504",
        "setup": "10000 20404 21402 21408 21420 21456 21624 21626 21701 21705 30010 90000",
        "throttled": "20429 21611 30022",
        "too_long": "21617",
        "transient": "30003",
        "trial": "10002 21219",
    }
)
