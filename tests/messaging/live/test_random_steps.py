"""After many random steps in any order, every page equals a fresh load."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from channels.db import database_sync_to_async as in_database
from django.db import transaction

from inboxes.actions import add_member, remove_member
from inboxes.models import Agent
from messaging.carriers import events
from messaging.models import Attempt, Message, ScheduledText
from messaging.outbound.receipts import apply_receipt
from messaging.outbound.scheduling import delete_scheduled_text
from messaging.outbound.sending import SendingRefused
from tests.cast import DISPATCH, Cast, client_of
from tests.messaging.live.live_pages import LivePage, new_tab
from tests.messaging.live.test_catchup import assert_equals_fresh_load
from tests.messaging.scheduled_texts import schedule_in
from threads.actions import save_draft
from threads.models import Label, Thread

pytestmark = pytest.mark.django_db(transaction=True)

STEPS = 40
CUSTOMERS = [f"+1202555020{index}" for index in range(4)]


class RandomSteps:
    """Hold ben's pages, and take random steps as everybody."""

    def __init__(self, cast: Cast, seed: int) -> None:
        self.cast = cast
        self.dice = random.Random(seed)
        self.pages: list[LivePage] = []
        self.label = Label()

    async def open_pages(self) -> None:
        thread = await in_database(self.cast.thread)(sender=CUSTOMERS[0])
        create_label = in_database(Label.objects.create)
        self.label = await create_label(inbox=self.cast.front_desk, name="Install")
        inbox = f"/inboxes/{self.cast.front_desk.pk}/"
        narrowed = [f"{inbox}?only=urgent", f"/threads/{thread.pk}/?only=reply"]
        narrowed += [f"{inbox}?only=failed", f"{inbox}?only=mine", f"{inbox}?only=done&only=mine"]
        narrowed += [f"{inbox}?label={self.label.pk}", f"{inbox}?only=scheduled"]
        narrowed += ["/?only=failed", "/?only=unread", "/?only=open", f"{inbox}?only=blocked"]
        for path in ["/?only=all", f"{inbox}?only=all", f"/threads/{thread.pk}/", *narrowed]:
            page = await in_database(new_tab)(self.cast.ben)
            await in_database(page.load)(path)
            self.pages.append(await page.open())

    async def take_step(self) -> None:
        actions: list[Callable[[], Awaitable[None]]] = [
            self.text_in,
            self.text_in,
            self.answer,
            self.react,
            self.apply_random_receipt,
            self.apply_random_receipt,
            self.retry_or_see,
            self.save_draft,
            self.mark_read,
            self.use_thread_options,
            self.use_thread_options,
            self.use_tools,
            self.use_tools,
            self.schedule_or_delete,
            self.write_internal_message,
            self.disconnect_or_reconnect,
            self.change_membership,
            self.block_or_unblock,
        ]
        await self.dice.choice(actions)()

    async def text_in(self) -> None:
        body = f"Text {self.dice.random()}"
        await in_database(self.cast.text_in)(body, sender=self.dice.choice(CUSTOMERS))

    async def answer(self) -> None:
        author, customer = self.dice.choice(["ana", "ben"]), self.dice.choice(CUSTOMERS)
        await in_database(self._send_answer)(getattr(self.cast, author), customer)

    def _send_answer(self, author: Agent, customer: str) -> None:
        with suppress(SendingRefused):  # they may be blocked
            self.cast.answer(self.cast.thread(sender=customer), "An answer", author=author)
        other = self.cast.thread(sender=customer, to=DISPATCH)
        with suppress(SendingRefused):
            self.cast.answer(other, "An answer of Dispatch", author=self.cast.ana)

    async def react(self) -> None:
        """Put a tapback on the newest answer, or take it back."""
        body = self.dice.choice(["Loved “An answer”", "Removed a heart from “An answer”"])
        await in_database(self.cast.text_in)(body, sender=self.dice.choice(CUSTOMERS))

    async def retry_or_see(self) -> None:
        """Retry a failed text as somebody, or mark it as seen."""
        deed = self.dice.choice(["retry", "seen"])
        failing = await in_database(lambda: list(Message.objects.exclude(unseen_failure="")))()
        if failing:
            message = self.dice.choice(failing)
            await in_database(self._post)(self.cast.ana, f"/messages/{message.pk}/{deed}/", {})

    async def save_draft(self) -> None:
        _, thread_id = self.dice.choice(await in_database(_messages)())
        body = self.dice.choice(["", "Half a text", "Another half"])
        thread = await in_database(Thread.objects.get)(pk=thread_id)
        await in_database(save_draft)(
            thread=thread, agent=self.cast.ben, body=body, is_internal=False
        )

    async def apply_random_receipt(self) -> None:
        await in_database(self._apply_random_receipt)()

    def _apply_random_receipt(self) -> None:
        sent = list(Message.objects.filter(kind="outbound").order_by("pk"))
        if not sent:
            return
        message = self.dice.choice(sent)
        attempt, _ = Attempt.objects.get_or_create(
            message=message, ordinal=1, defaults={"account": self.cast.account}
        )
        states: list[events.State] = ["sent", "delivered", "failed"]
        state = self.dice.choice(states)
        code = str(self.dice.randrange(10**9))
        with transaction.atomic():
            apply_receipt(
                account=self.cast.account,
                receipt=events.Receipt(f"SM{message.pk}", state, code, "transient"),
                attempt_token=str(attempt.token),
            )

    async def mark_read(self) -> None:
        page = self.dice.choice(self.pages)
        message_id, thread_id = self.dice.choice(await in_database(_messages)())
        await in_database(page.client.post)(f"/threads/{thread_id}/read/", {"message": message_id})

    async def use_thread_options(self) -> None:
        """Use something from Thread options, as ben or a colleague."""
        agent = self.dice.choice([self.cast.ben, self.cast.ben, self.cast.ana])
        message_id, thread_id = self.dice.choice(await in_database(_messages)())
        action, form = self.dice.choice(
            [
                ("delete", {"message": message_id}),
                ("delete", {"message": 2**62}),
                ("restore", {}),
                ("unread", {}),
                ("mute", {"muted": "1"}),
                ("priority", {"priority": self.dice.choice(["urgent", "low", "none"])}),
                ("priority", {"priority": "urgent"}),
            ]
        )
        await in_database(self._post)(agent, f"/threads/{thread_id}/{action}/", form)

    async def use_tools(self) -> None:
        """Use a tool of the team's work, as ben or a colleague."""
        agent = self.dice.choice([self.cast.ben, self.cast.ana])
        message_id, thread_id = self.dice.choice(await in_database(_messages)())
        action, form = self.dice.choice(
            [
                ("assign", {"assignee": self.dice.choice(["me", "", self.cast.ben.pk])}),
                ("done", {"message": message_id}),
                ("done", {"message": 2**62}),
                ("reopen", {}),
                ("snooze", {"when": self.dice.choice(["later", "tomorrow", "monday"])}),
                ("label", {"label": self.label.pk, "on": self.dice.choice(["1", "0"])}),
                ("label", {"label": self.label.pk, "on": "1"}),
            ]
        )
        await in_database(self._post)(agent, f"/threads/{thread_id}/{action}/", form)

    async def schedule_or_delete(self) -> None:
        """Schedule a text, or delete those of a thread."""
        _, thread_id = self.dice.choice(await in_database(_messages)())
        await in_database(self._schedule_or_delete)(thread_id)

    def _schedule_or_delete(self, thread_id: int) -> None:
        texts = list(ScheduledText.objects.pending().filter(thread=thread_id))
        for text in texts:
            delete_scheduled_text(text=text)
        if not texts:
            with suppress(SendingRefused):
                schedule_in(self.cast, Thread.objects.for_rows().get(pk=thread_id))

    async def block_or_unblock(self) -> None:
        """Unblock whoever is blocked, else block the contact of some thread."""
        agent = self.dice.choice([self.cast.ben, self.cast.ana])
        thread_id = self.dice.choice(await in_database(_messages)())[1]
        await in_database(self._block_or_unblock)(agent, thread_id)

    def _block_or_unblock(self, agent: Agent, thread_id: int) -> None:
        blocked = Thread.objects.filter(status="blocked").order_by("pk").first()
        thread = blocked or Thread.objects.get(pk=thread_id)
        deed = "unblock" if blocked else "block"
        self._post(agent, f"/contacts/{thread.contact_id}/{deed}/", {})

    def _post(self, agent: Agent, path: str, form: dict[str, Any]) -> None:
        # Ben may have left Dispatch.
        expected = {302, 404} if agent == self.cast.ben else {302}
        assert client_of(agent).post(path, form).status_code in expected, path

    async def write_internal_message(self) -> None:
        author, customer = self.dice.choice(["ana", "ben"]), self.dice.choice(CUSTOMERS)
        words = self.dice.choice(["A word", "@ben look", "@ana and @cho"])
        await in_database(self._write_internal)(getattr(self.cast, author), customer, words)

    def _write_internal(self, author: Agent, customer: str, words: str) -> None:
        found = Thread.objects.filter(contact__address=customer, inbox=self.cast.front_desk)
        for thread in found:
            self.cast.note(thread, words, author=author)

    async def disconnect_or_reconnect(self) -> None:
        page = self.dice.choice(self.pages)
        await (page.disconnect() if page.socket is not None else page.open())

    async def change_membership(self) -> None:
        """Change Dispatch, which no page shows, so that no page has to leave."""
        change = self.dice.choice([add_member, remove_member])
        await in_database(change)(
            inbox=self.cast.dispatch, agent=self.cast.ben, changed_by=self.cast.admin
        )

    async def compare_with_fresh_loads(self) -> None:
        for page in self.pages:
            if page.socket is None:
                await page.open()
            await page.receive_until_idle()
            await assert_equals_fresh_load(page)
            await page.disconnect()


def _messages() -> list[tuple[int, int]]:
    return list(Message.objects.order_by("pk").values_list("pk", "thread"))


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_after_random_steps_every_page_equals_a_fresh_load(cast: Cast, seed: int) -> None:
    steps = RandomSteps(cast, seed)
    await steps.open_pages()
    for _ in range(STEPS):
        await steps.take_step()
    await steps.compare_with_fresh_loads()
