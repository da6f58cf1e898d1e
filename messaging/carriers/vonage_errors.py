"""Class Vonage's error codes, by the words of its lists.

Those of the Messages API, its generic errors, and the short codes of SMS receipts in reports.
"""

from __future__ import annotations

from messaging.carriers import events

ERROR_CLASSES = events.class_by_code(
    {
        "account": (
            "1060 1080 1140 forbidden unprovisioned account-suspended application-suspended"
        ),
        "ambiguous": "1320",
        "auth": (
            "1110 unauthorized jwt-expired jwt-revoked invalid-api-key invalid-signature "
            "multiple-auth-methods"
        ),
        "bad_address": "1040 1050 1170 1190 1200 1280 1300 1310 1430 3 4 5 14",
        "content": "10",
        "country": "1470 unavailable-legal",
        "daily_limit": "1460",
        "expired": "1360",
        "filtered": "1210 1270 1282 1473 6 13",
        "funds": "1070 low-balance",
        "media": "1380 1381 1382",
        "no_route": "1250 1251 1260 11 12",
        "opted_out": "1240 9",
        "other": "1330 1 99",
        "refused": "1290 15",
        "registration": "1480 1481 1482 1483 1484 50 51 52 53 54",
        "sender": "1120 1420",
        "server": "1030 1100 1230 1331 8",
        "setup": (
            "1010 1020 1021 1022 1130 1150 1340 1350 1370 1400 1410 1440 1450 1451 not-found "
            "invalid-ip invalid-id invalid-json invalid-params wrong-verb accept-header "
            "content-type-header"
        ),
        "throttled": "1000 1241 1461 1472",
        "too_long": "1090",
        "transient": "1180 1220 2 7",
        "trial": "1160",
    }
)
