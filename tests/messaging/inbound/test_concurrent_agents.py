"""Let two agents work in one inbox at once while texts arrive; nothing is lost or fails."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from django.db import connections

from inboxes.models import Agent, Inbox
from messaging.models import Message
from tests.cast import Cast, client_of
from tests.messaging.work.test_sequences import replay
from threads.models import Activity, Thread, ThreadState

ROUNDS = 25
CUSTOMERS = ["+12025550201", "+12025550202"]


class BusyAgent:
    """Act at random as one agent, and remember the last change to each thread."""

    def __init__(self, agent: Agent, other: Agent, threads: list[Thread], seed: int) -> None:
        self.agent, self.other, self.threads = agent, other, threads
        self.dice = random.Random(seed)
        self.client = client_of(agent)
        self.muted: dict[int, bool] = {}
        self.priorities: dict[int, str] = {}
        self.written = 0

    def act_at_random(self) -> None:
        try:
            for _ in range(ROUNDS):
                self.dice.choice(
                    [
                        self.mute_thread,
                        self.set_priority,
                        self.delete_thread,
                        self.write_message,
                        self.assign_thread,
                        self.put_aside,
                    ]
                )()
        finally:
            connections.close_all()

    def post_form(self, thread: Thread, action: str, **form: str) -> None:
        answer = self.client.post(f"/threads/{thread.pk}/{action}/", form)
        assert answer.status_code == 302, (action, answer.status_code)

    def mute_thread(self) -> None:
        thread, is_muted = self.dice.choice(self.threads), self.dice.random() < 0.5
        self.post_form(thread, "mute", muted=str(int(is_muted)))
        self.muted[thread.pk] = is_muted

    def set_priority(self) -> None:
        thread, priority = self.dice.choice(self.threads), self.dice.choice(Thread.Priority.values)
        self.post_form(thread, "priority", priority=priority)
        self.priorities[thread.pk] = priority

    def delete_thread(self) -> None:
        thread = self.dice.choice(self.threads)
        newest = Message.objects.filter(thread=thread).latest("pk").pk
        self.post_form(thread, "delete", message=str(newest))
        if self.dice.random() < 0.3:
            self.post_form(thread, "restore")

    def assign_thread(self) -> None:
        """Assign to oneself, to the other, whose row is locked then, or to nobody."""
        thread = self.dice.choice(self.threads)
        to = self.dice.choice(["me", str(self.other.pk), ""])
        self.post_form(thread, "assign", assignee=to)

    def put_aside(self) -> None:
        thread, deed = self.dice.choice(self.threads), self.dice.choice(["done", "snooze"])
        newest = Message.objects.filter(thread=thread).latest("pk").pk
        self.post_form(thread, deed, message=str(newest), when="tomorrow")
        if self.dice.random() < 0.3:
            self.post_form(thread, "reopen")

    def write_message(self) -> None:
        """Write and mention the other agent, so that their locks cross."""
        thread = self.dice.choice(self.threads)
        body = f"@{self.other.username} look" if self.dice.random() < 0.7 else "An answer"
        done = self.dice.choice(["", "1"])
        self.post_form(thread, "messages", body=body, form_key=str(uuid.uuid4()), done=done)
        self.written += 1


@pytest.mark.django_db(transaction=True)
def test_two_agents_set_priority_delete_and_mute_while_texts_come_in(cast: Cast) -> None:
    threads = [cast.thread(sender=number) for number in CUSTOMERS]
    agents = [
        BusyAgent(cast.ana, cast.ben, threads, seed=1),
        BusyAgent(cast.ben, cast.ana, threads, seed=2),
    ]

    with ThreadPoolExecutor(3) as pool:
        actions: list[Callable[[], None]] = [
            partial(receive_texts, cast),
            *(one.act_at_random for one in agents),
        ]
        for running in [pool.submit(action) for action in actions]:
            running.result(60)

    assert Message.objects.count() == len(threads) + ROUNDS + sum(one.written for one in agents)
    front_desk = Inbox.objects.get(pk=cast.front_desk.pk)
    assert_threads_agree(front_desk, agents)
    for number in CUSTOMERS:
        cast.text_in("Back in both lists", sender=number)
    for one in agents:
        page = one.client.get(f"/inboxes/{front_desk.pk}/").content.decode()
        assert all(f'id="thread-{thread.pk}"' in page for thread in threads)


def receive_texts(cast: Cast) -> None:
    try:
        for index in range(ROUNDS):
            cast.text_in(f"Text {index}", sender=CUSTOMERS[index % 2])
    finally:
        connections.close_all()


def assert_threads_agree(front_desk: Inbox, agents: list[BusyAgent]) -> None:
    """Check each thread's counts and states against what the agents did last."""
    for thread in Thread.objects.all():
        messages = Message.objects.filter(thread=thread).order_by("pk")
        positions = list(messages.values_list("position", flat=True))
        assert positions == list(range(1, thread.message_count + 1))
        assert thread.last_text_id == messages.exclude(kind="internal").latest("pk").pk
        lasts = {one.priorities[thread.pk] for one in agents if thread.pk in one.priorities}
        assert thread.priority in lasts
        assert thread.seq <= front_desk.seq
        assert replay(thread) == (thread.status, thread.assignee_id)
        last_text = messages.filter(kind="inbound").latest("pk")
        if thread.status != "open":
            aside = Activity.objects.filter(thread=thread, kind__in=["done", "snoozed"])
            assert aside.latest("pk").after_id >= last_text.pk
        for one in agents:
            state = ThreadState.objects.get(agent=one.agent, thread=thread)
            assert state.is_muted == one.muted.get(thread.pk, False)
            assert state.seq <= Agent.objects.get(pk=one.agent.pk).seq
