"""Check that no byte of an internal text reaches the carrier, whatever pages and SQL do."""

from __future__ import annotations

import re
import uuid
from typing import Any, ClassVar

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import Error, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from pytest_django import Settings

from inboxes.actions import add_member
from inboxes.models import Membership
from messaging.models import Attempt, Message, Number, PublicLink, ScheduledText
from messaging.outbound import delivery
from messaging.outbound.scheduling import send_if_due
from tests.cast import CUSTOMER, FRONT_DESK, Cast, client_of
from tests.far_end_client import FarEnd, far_end
from tests.messaging.attachments.picture_bytes import make_picture
from threads.models import Thread

__all__ = ["far_end"]

# Values that a hand-made form may have; of several fields the last counts.
TO_TEAM = ["true", "TRUE", "on", "1", ["false", "true"]]
TO_CUSTOMER = ["false", "False", "", None, ["true", "false"]]
# Each with the agent whom it mentions; the last two mention nobody.
WORDS = [
    ("@ben ", "ben"),
    ("(@BEN.) ", "ben"),
    ("@cho, ", "cho"),
    ("x@ben.example ", ""),
    ("", ""),
]
FILES = [make_picture(size=(20, 20)), b"%PDF-1.4 pages"]
ANSWERS = [
    {"kind": "accept"},
    {"kind": "reject", "code": "30003", "status": 400},
    {"kind": "error", "status": 500},
]

SQL = [
    "UPDATE messaging_message SET kind = 'outbound' WHERE kind = 'internal'",
    "UPDATE messaging_message SET kind = 'outbound', state = 'queued' WHERE kind = 'internal'",
    "UPDATE messaging_message SET state = 'queued' WHERE kind = 'internal'",
    """UPDATE messaging_publiclink SET attachment_id = secret.id FROM
    (SELECT max(a.id) AS id FROM messaging_attachment a JOIN messaging_message m
    ON m.id = a.message_id WHERE m.kind = 'internal') AS secret WHERE secret.id IS NOT NULL""",
    """UPDATE messaging_attempt SET message_id =
    (SELECT max(id) FROM messaging_message WHERE kind = 'internal')""",
]


class InternalMessages(RuleBasedStateMachine):
    """Let agents write, repeat and retry at random while the carrier accepts, rejects or fails."""

    cast: ClassVar[Cast]
    far_end: ClassVar[FarEnd]
    arrived: ClassVar[set[str]] = set()
    kept: ClassVar[set[str]] = set()
    published: ClassVar[set[uuid.UUID]] = set()

    def __init__(self) -> None:
        super().__init__()
        self._example = transaction.atomic()
        # As Django's TestCase marks its transactions: a durable one may open inside.
        self._example._from_testcase = True  # type: ignore[attr-defined]
        self._example.__enter__()
        self.secrets: set[str] = set()
        self.public: set[str] = set()
        self.keys: list[uuid.UUID] = []
        self.is_cho_member = True

    @initialize()
    def set_up_threads(self) -> None:
        self.threads: list[Thread] = [self.cast.thread(), self.cast.thread(sender="PARCELBOX")]
        self.ana = client_of(self.cast.ana)
        self.ben = client_of(self.cast.ben)

    def _make_canary(self, *, is_secret: bool) -> str:
        canary = f"canary{uuid.uuid4().hex}"
        (self.secrets if is_secret else self.public).add(canary)
        return canary

    @rule(
        thread=st.integers(0, 1),
        words=st.sampled_from(WORDS),
        is_to_team=st.booleans(),
        how=st.integers(0, 4),
        again=st.sampled_from([False, False, False, True]),
    )
    def write_message(self, **choice: Any) -> None:
        self.write_one(**choice)

    @rule(
        thread=st.integers(0, 1),
        words=st.sampled_from(WORDS),
        is_to_team=st.booleans(),
        how=st.integers(0, 4),
    )
    def schedule_text(self, **choice: Any) -> None:
        self.write_one(**choice, again=False, later="hour", regardless="true")

    @rule(
        words=st.sampled_from(WORDS),
        is_to_team=st.booleans(),
        how=st.integers(0, 4),
        data=st.sampled_from(FILES),
    )
    def write_with_a_file(self, data: bytes, **choice: Any) -> None:
        self.attach_and_write(data, **choice)

    @rule(how=st.integers(0, 4), data=st.sampled_from(FILES))
    def send_the_customer_a_file(self, data: bytes, how: int) -> None:
        """Publish files often enough to show that those of internal messages are not."""
        self.attach_and_write(data, words=("", ""), is_to_team=False, how=how)

    def attach_and_write(self, data: bytes, **choice: Any) -> None:
        address = f"/threads/{self.threads[0].pk}/attachments/"
        answer = self.ana.post(address, {"file": SimpleUploadedFile("a", data)})
        match = re.search(r'name="attachment" value="(\d+)"', answer.content.decode())
        more: dict[str, Any] = {"attachment": match[1]} if match else {}  # it takes ten at most
        self.write_one(**choice, thread=0, again=False, **more)

    @rule()
    def send_scheduled_texts(self) -> None:
        ScheduledText.objects.update(send_at=timezone.now())
        for text in ScheduledText.objects.order_by("pk"):
            send_if_due(text=text)

    def write_one(
        self,
        thread: int,
        words: tuple[str, str],
        is_to_team: bool,
        how: int,
        again: bool,
        **more: str,
    ) -> None:
        """Send a form as the page makes it or as made by hand, perhaps with a used key."""
        opening, mentioned = words
        is_mentioned = mentioned == "ben" or (mentioned == "cho" and self.is_cho_member)
        body = opening + self._make_canary(is_secret=is_to_team or is_mentioned)
        key = self.keys[-1] if again and self.keys else uuid.uuid4()
        self.keys.append(key)
        fields = {
            "body": body,
            "form_key": key,
            "is_internal": (TO_TEAM if is_to_team else TO_CUSTOMER)[how],
            **more,
        }
        self._post_form(
            thread, {name: value for name, value in fields.items() if value is not None}
        )

    @rule(thread=st.just(0), words=st.sampled_from(WORDS), how=st.integers(0, 4))
    def text_the_customer(self, thread: int, words: tuple[str, str], how: int) -> None:
        """Send what would leak a mention that was overlooked."""
        self.write_one(thread, words, is_to_team=False, how=how, again=False)

    @rule(thread=st.integers(0, 1), is_team_first=st.booleans())
    def toggle_while_it_is_on_its_way(self, thread: int, is_team_first: bool) -> None:
        """Send one form in both modes; the first one decides."""
        key = uuid.uuid4()
        is_secret = is_team_first or thread == 1
        body = self._make_canary(is_secret=is_secret)
        for mode in ("true", "false") if is_team_first else ("false", "true"):
            self._post_form(thread, {"body": body, "form_key": key, "is_internal": mode})

    def _post_form(self, thread: int, fields: dict[str, Any]) -> None:
        address = f"/threads/{self.threads[thread].pk}/messages/"
        answer = self.ana.post(address, fields, headers={"HX-Request": "true"})
        assert answer.status_code in {200, 422}

    @rule(thread=st.integers(0, 1), toggle=st.booleans(), mode=st.sampled_from(["true", "false"]))
    def keep_a_draft(self, thread: int, toggle: bool, mode: str) -> None:
        fields: dict[str, Any] = {"form_key": uuid.uuid4(), "is_internal": mode}
        fields |= {"body": self._make_canary(is_secret=True)} | (
            {"toggle": "true"} if toggle else {}
        )
        self.ana.post(f"/threads/{self.threads[thread].pk}/draft/", fields)

    @rule()
    def retry_everything(self) -> None:
        for message in Message.objects.exclude(kind="inbound"):
            self.ben.post(f"/messages/{message.pk}/retry/", headers={"HX-Request": "true"})

    @rule(answers=st.lists(st.sampled_from(ANSWERS), max_size=3))
    def let_the_worker_run(self, answers: list[dict[str, Any]]) -> None:
        if answers:
            self.far_end.plan(*answers, to=CUSTOMER)
        for thread in self.threads:
            delivery.deliver_thread(thread.pk)
        self.check_nothing_leaked()

    @rule(is_member=st.booleans())
    def change_the_team(self, is_member: bool) -> None:
        desk, cho = self.cast.front_desk, self.cast.cho
        if is_member and not self.is_cho_member:
            add_member(inbox=desk, agent=cho, changed_by=self.cast.admin)
        elif not is_member:
            Membership.objects.filter(inbox=desk, agent=cho).delete()
        self.is_cho_member = is_member

    @rule(is_ours=st.sampled_from([True, True, True, True, False]))
    def route_the_number(self, is_ours: bool) -> None:
        inbox = self.cast.front_desk if is_ours else self.cast.dispatch
        Number.objects.exclude(address=FRONT_DESK).filter(inbox=inbox).delete()
        Number.objects.filter(address=FRONT_DESK).update(inbox=inbox)

    @rule(statement=st.sampled_from(SQL))
    def reach_into_the_database(self, statement: str) -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)
                touched = cursor.rowcount
        except Error:
            return
        assert touched == 0

    def check_nothing_leaked(self) -> None:
        received = self.far_end.path.read_text() if self.far_end.path.exists() else ""
        assert [secret for secret in self.secrets if secret in received] == []
        self.arrived.update(word for word in self.public if word in received)
        self.kept.update(self.secrets)
        assert not Attempt.objects.exclude(message__kind="outbound").exists()
        assert not PublicLink.objects.exclude(attachment__message__kind="outbound").exists()
        self.published.update(PublicLink.objects.values_list("token", flat=True))

    def teardown(self) -> None:
        try:
            if hasattr(self, "threads"):
                # Texts that had no number to leave from leave now.
                self.route_the_number(is_ours=True)
                self.retry_everything()
                self.send_scheduled_texts()
                self.let_the_worker_run([])
        finally:
            transaction.set_rollback(True)
            self._example.__exit__(None, None, None)


def test_no_byte_of_an_internal_text_reaches_the_carrier(
    cast: Cast, far_end: FarEnd, settings: Settings
) -> None:
    settings.TWILIO_API_URL = far_end.url
    settings.CARRIER_TIMEOUT = 5.0
    InternalMessages.cast, InternalMessages.far_end = cast, far_end
    InternalMessages.arrived, InternalMessages.kept, InternalMessages.published = (
        set(),
        set(),
        set(),
    )
    run_state_machine_as_test(InternalMessages, settings=RUNS)
    # Texts to the customer did arrive, so the ledger would have shown the others.
    assert len(InternalMessages.arrived) > 3
    assert len(InternalMessages.kept) > 30
    assert len(InternalMessages.published) > 0


RUNS = settings(
    max_examples=15,
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    database=None,
    # A failing example is not shrunk, which would take minutes.
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("mode", ["true", "false"])
def test_a_form_repeated_in_the_other_mode_sends_nothing_more(
    cast: Cast, far_end: FarEnd, settings: Settings, mode: str
) -> None:
    settings.TWILIO_API_URL = far_end.url
    thread, key, client = cast.thread(), uuid.uuid4(), client_of(cast.ana)
    other = "false" if mode == "true" else "true"
    for sent in (mode, other, mode):
        fields = {"body": "Canary", "form_key": key, "is_internal": sent}
        client.post(f"/threads/{thread.pk}/messages/", fields)
    delivery.deliver_thread(thread.pk)
    assert len(far_end.ledger()) == (0 if mode == "true" else 1)
