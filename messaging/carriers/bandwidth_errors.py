"""Class Bandwidth's error codes and the types of its refusals, by the words of its error list."""

from __future__ import annotations

from messaging.carriers import events

ERROR_CLASSES = events.class_by_code(
    {
        "account": "4001",
        "ambiguous": "9902 9999",
        "auth": "4451 4452 4493 unauthorized forbidden",
        "bad_address": "4303 4350 4404 4406 4408 4434 4482 4492 4700 4720 4721",
        "content": "4301 4752",
        "country": "4421 4432",
        "daily_limit": "4780",
        "expired": "4360 4794",
        "filtered": "4470 4770 4771 4772",
        "media": "4410 4411 4412 4710 4711 4712",
        "no_media": "4409",
        "no_route": "4401 4420 4730",
        "opted_out": "4475 4775",
        "refused": "4750 4753 4790",
        "registration": "4476 4773 4774 4791 4792 4793 4795",
        "sender": "4302 4403 4405 4407 4431 4433 4481 4740",
        "server": (
            "5100 5101 5106 5111 5201 5211 5220 5231 5500 5501 5600 5610 5620 5630 5650 5999"
        ),
        "setup": "4435 4735 4754 unsupported-content-type",
        "throttled": "4781 4785 max-message-queue-size-exceeded",
        "too_long": "4751",
        "transient": "4701 4702",
    }
)
