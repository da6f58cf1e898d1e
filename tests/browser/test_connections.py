"""The pages of an account's numbers and of their watch, and the line above a list."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from tests.browser.pages import OpenPage, find_violations
from tests.browser.server import Server
from tests.browser.test_administration import find_faults
from tests.stack import ROOT

# What a Twilio account with some numbers leaves behind. It is switched off: no carrier is called.
SEED = """
import json
from datetime import timedelta
from django.utils import timezone
from inboxes.models import Inbox
from messaging.carriers.numbers import FieldChange, OfferedNumber, Route, Step
from messaging.carriers.registrations import toll_free
from messaging.models import *
account = CarrierAccount(carrier="twilio", name="Twilio of the browser", is_active=False)
account.set_credentials({"account_sid": "AC0", "auth_token": "x"})
account.save()
crm = Route("https://crm.example.net/sms/v2")
shared = Route(
    "https://old.example.org/in", "POST", "service", "MG1", "Sales",
    others=("+12025550167",), other_count=1,
)
def offer(address, route, kind="local", registration=None):
    return OfferedNumber(
        address, "PN" + address, kind, True, True, route, registration=registration,
        fields={"SmsUrl": route.url, "SmsMethod": "POST", "SmsApplicationSid": ""},
    )
found = [
    offer("+12025550161", Route("", is_free=True)),
    offer("+12025550162", crm),
    offer("+12025550163", shared),
    offer("+18005550199", Route("", is_free=True), "toll_free", toll_free("missing", "Twilio")),
]
listing = NumberListing(account=account, read_at=timezone.now())
listing.set_numbers(found)
listing.save()
ago = timezone.now() - timedelta(hours=1)
keys = {}
for address, state in [("+12025550164", "changed"), ("+12025550165", "ours")]:
    inbox = Inbox.objects.create(name="Of " + address)
    keys[state] = Number.objects.create(address=address, account=account, inbox=inbox).pk
    row = NumberConnection(
        account=account, address=address, carrier_id="PN" + address, state=state, good_at=ago,
        checked_at=ago, connected_at=ago, changed_at=ago if state == "changed" else None,
    )
    step = FieldChange("SmsUrl", "A message comes in: URL", crm.url, account.webhook_url)
    row.set_steps([Step("number", "PN" + address, "The number", (step,))])
    row.set_route(crm if state == "changed" else Route(account.webhook_url))
    row.save()
    row.events.create(kind="connected", at=ago)
print(json.dumps({"account": account.pk, **keys}))
"""


@pytest.fixture(scope="module")
def keys(server: Server) -> dict[str, int]:
    """Return the keys of an account, of a number that was changed elsewhere, and of one that is
    ours."""
    ran = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v0", "-c", SEED],
        cwd=ROOT,
        env=os.environ | server.stack.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, int] = json.loads(ran.stdout.splitlines()[-1])
    return found


def test_the_pages_of_numbers_can_be_read_by_everybody(
    open_page: OpenPage, server: Server, keys: dict[str, int]
) -> None:
    page = open_page("admin", "/admin/", bypass_csp=True)
    broken = {}
    for path in (
        f"carrieraccount/{keys['account']}/numbers/",
        f"number/{keys['changed']}/change/",
        f"number/{keys['ours']}/change/",
        f"number/{keys['ours']}/delete/",
    ):
        page.goto(f"{server.url}/admin/messaging/{path}")
        for summary in page.locator("#content-main summary").all():
            summary.click()
        if found := find_faults(page):
            broken[path] = found
    assert broken == {}


def test_numbers_are_ticked_read_about_and_told_apart(
    open_page: OpenPage, server: Server, keys: dict[str, int]
) -> None:
    page = open_page("admin", f"/admin/messaging/carrieraccount/{keys['account']}/numbers/")
    expect(page.get_by_role("checkbox", name="(202) 555-0161")).to_be_checked()
    taken = page.get_by_role("checkbox", name="(202) 555-0162")
    expect(taken).not_to_be_checked()
    taken.check()
    expect(page.get_by_role("checkbox", name="(800) 555-0199")).not_to_be_checked()
    changes = page.get_by_text("What changes at Twilio")
    changes.click()
    expect(page.get_by_role("cell", name="https://crm.example.net/sms/v2")).to_be_visible()
    expect(page.get_by_text("Messaging service Sales is shared: the texts of")).to_be_visible()


def test_an_open_list_says_that_new_texts_do_not_come_until_they_do(
    open_page: OpenPage, server: Server
) -> None:
    page = open_page("ana", server.inbox_path())
    line = page.get_by_text("New texts to this number don't reach Partyline.")
    expect(line).to_be_hidden()
    change = "UPDATE inboxes_inbox SET seq = seq + 1, not_receiving_since = {} WHERE name = %s"
    try:
        server.query(change.format("now()"), "Front Desk")
        expect(line).to_be_visible()
        assert find_violations(page) == []
        page.goto(server.url)
        top = page.get_by_text("New texts to Front Desk don't reach Partyline.")
        expect(top).to_be_visible()
    finally:
        server.query(change.format("NULL"), "Front Desk")
    expect(top).to_be_hidden()
