"""Class Telnyx's error codes, by the words of its messaging error reference."""

from __future__ import annotations

from messaging.carriers import events

ERROR_CLASSES = events.class_by_code(
    {
        "account": "20012 20013 20014 20015 20016 20017 40314",
        "ambiguous": "10008",
        "auth": "10009 10010 20002 20006",
        "bad_address": "10001 10002 10016 40001 40012 40310",
        "content": "40009 40316",
        "country": "40309 40331",
        "daily_limit": "40016",
        "expired": "40005 40014",
        "filtered": "40002 40003 40015 40017 40020 40300 40322",
        "funds": "20100 40333",
        "media": "40317",
        "no_media": "40308",
        "no_route": "40301 40319",
        "refused": "40004 40008",
        "registration": "40010 40019 40150 40151 40155 40329 40330",
        "sender": "40013 40100 40305 40306 40307 40315 40320 40321 40323 40325",
        "server": "10007",
        "setup": "10003 10004 10005 10006 10015 10027 40304 40311 40312 40313",
        "throttled": "10011 40011 40018 40318",
        "too_long": "40302 40328",
        "transient": "40006",
        "trial": "10039",
    }
)
