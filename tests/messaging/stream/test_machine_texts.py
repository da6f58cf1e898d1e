"""Texts of machines are told from those of people, who write of the same things."""

from __future__ import annotations

import time

import pytest

from messaging.stream.machine_texts import seems_automatic

OF_MACHINES = [
    "Auto-reply: we got your message.",
    "This is an automated message. Please do not reply to this.",
    "AUTOMATIC RESPONSE\nI am away until Monday.",
    "Questions? Write to no-reply@bank.example",
    "Sent by noreply@shop.example",
    "This is a no-reply number.",
    "This number is unmonitored.",
    "This inbox is not monitored, call us instead.",
    "Sent from an unmonitored mailbox",
    "I'm driving right now and will answer later.",
    "I\u2019m driving and can\u2019t text. I\u2019ll reply when I\u2019m there.",
    "I am driving. I will reply when I stop.",
    "I'm driving with notifications turned off.",
    "I'm driving with Focus turned on. I'll see your message when I get where I'm going.",
    "(I'm not receiving notifications. Do Not Disturb While Driving is turned on.)",
    "I am out of the office until May 3.",
    "Réponse automatique : je suis absent.",
]
OF_PEOPLE = [
    "I got no reply from you yesterday",
    "Still no reply! What is going on?",
    "I'm driving over now, are you open?",
    "I am driving my mother to the doctor on Tuesday",
    "Is this number unmonitored?",
    "Is this an unmonitored number or does anybody read it?",
    "Hello, is this an automated message?",
    "My meter goes unmonitored for weeks",
    "Do you sell automatic doors?",
    "The office is closed, where are you?",
    "",
]


@pytest.mark.parametrize("body", OF_MACHINES)
def test_what_a_machine_writes_gets_no_automatic_answer(body: str) -> None:
    assert seems_automatic(body)


@pytest.mark.parametrize("body", OF_PEOPLE)
def test_a_person_is_taken_for_no_machine(body: str) -> None:
    assert not seems_automatic(body)


def test_no_text_takes_long_to_judge() -> None:
    started_at = time.process_time()
    for part in ("is this ", "i'm driving ", "i'm driving can't ", "message is sent "):
        seems_automatic(part * 5_000)
    assert time.process_time() - started_at < 0.2
