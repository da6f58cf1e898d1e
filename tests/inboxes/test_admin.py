"""Django admin: pages, searches, filters, and changes of memberships."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.forms import ChoiceField
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from inboxes import bell
from inboxes.models import Agent, Inbox, Membership, MembershipChange, SignInSettings
from inboxes.sign_in.admin import SignInSettingsForm
from messaging.models import CarrierAccount, Number
from tests.cast import SECRETS, Cast, client_of

MODELS = [
    "inboxes_agent",
    "inboxes_inbox",
    "inboxes_membershipchange",
    "inboxes_onetimelink",
    "messaging_carrieraccount",
    "messaging_number",
    "messaging_optout",
    "messaging_webhook",
]


def admin_url(model: str, page: str, *args: object) -> str:
    return reverse(f"admin:{model}_{page}", args=args)


def membership_form(
    *agents: Agent, initial: list[Membership] | None = None, delete: int = -1
) -> Any:
    """Return the fields of the inline form for existing memberships and new members."""
    initial = initial or []
    form: dict[str, Any] = {
        "memberships-TOTAL_FORMS": len(initial) + len(agents),
        "memberships-INITIAL_FORMS": len(initial),
        "labels-TOTAL_FORMS": "0",
        "labels-INITIAL_FORMS": "0",
    }
    for index, membership in enumerate(initial):
        form |= {
            f"memberships-{index}-id": membership.pk,
            f"memberships-{index}-inbox": membership.inbox_id,
        }
        if index == delete:
            form[f"memberships-{index}-DELETE"] = "on"
    for index, agent in enumerate(agents, len(initial)):
        form[f"memberships-{index}-agent"] = agent.pk
    return form


@pytest.fixture
def admin(cast: Cast) -> Client:
    return client_of(cast.admin)


@pytest.fixture
def rung_bells(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Collect kind and id of the bells that ring after a commit."""
    bells: list[tuple[str, int]] = []
    monkeypatch.setattr(bell, "_ring_now", lambda one: bells.append((one["kind"], one["id"])))
    return bells


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("query", ["", "?q=ana", "?q=%2B1202", "?o=-1.2"])
def test_every_changelist_works(cast: Cast, admin: Client, model: str, query: str) -> None:
    response = admin.get(admin_url(model, "changelist") + query)
    assert response.status_code == 200


def test_searches_and_filters_find_what_matches(cast: Cast, admin: Client) -> None:
    for model, query, found, missed in [
        ("inboxes_agent", "?q=okafor", "Ben Okafor", "Cho Park"),
        ("inboxes_agent", f"?memberships__inbox__id__exact={cast.dispatch.pk}", "ben", "cho"),
        ("inboxes_inbox", "?kind=shared", "Dispatch", "Personal line of"),
        ("inboxes_inbox", "?kind=personal", "Ana Ruiz", "Dispatch"),
        ("inboxes_inbox", "?q=%2B12025550111", "Dispatch", "Front Desk"),
        ("messaging_number", "?q=Dispatch", "(202) 555-0111", "(202) 555-0110"),
        ("messaging_carrieraccount", "?q=%2B12025550111", "Twilio of the tests", "0 carrier"),
        ("inboxes_membershipchange", "?q=cho", "Cho Park", "Ben Okafor"),
    ]:
        page = admin.get(admin_url(model, "changelist") + query).content.decode()
        results = page.split('id="result_list"')[1].split("</table>")[0]
        assert found in results, (model, query)
        assert missed not in results, (model, query)


@pytest.mark.parametrize("model", MODELS)
def test_changelists_take_the_same_queries_however_long(
    cast: Cast, admin: Client, model: str
) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert admin.get(admin_url(model, "changelist")).status_code == 200
        return len(queries)

    admin.get(admin_url(model, "changelist"))
    before = count()
    for index in range(10):
        inbox = Inbox.objects.create(name=f"Inbox {index}")
        agent = Agent.objects.create(username=f"agent{index}", display_name=f"Agent {index}")
        account = CarrierAccount(carrier="twilio", name=f"Account {index}")
        account.set_credentials(SECRETS)
        account.save()
        Number.objects.create(address=f"+120255502{index:02}", account=account, inbox=inbox)
        MembershipChange.objects.create(inbox=inbox, agent=agent, kind="added")
    assert count() == before


def test_agents_are_never_deleted(cast: Cast, admin: Client) -> None:
    assert admin.post(admin_url("inboxes_agent", "delete", cast.dov.pk)).status_code == 403
    assert Agent.objects.filter(pk=cast.dov.pk).exists()


def test_a_shared_inbox_is_created_with_its_members(
    cast: Cast,
    admin: Client,
    rung_bells: list[tuple[str, int]],
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        form = {"name": "Returns", "owner": "", **membership_form(cast.dov, cast.ben)}
        assert admin.post(admin_url("inboxes_inbox", "add"), form).status_code == 302
    inbox = Inbox.objects.get(name="Returns")
    assert set(inbox.members.all()) == {cast.dov, cast.ben}
    changes = MembershipChange.objects.filter(inbox=inbox)
    assert {(c.agent, c.kind, c.changed_by) for c in changes} == {
        (cast.dov, "added", cast.admin),
        (cast.ben, "added", cast.admin),
    }
    assert {("agent", cast.dov.pk), ("agent", cast.ben.pk)} <= set(rung_bells)


def test_the_inline_adds_and_removes_members_and_records_who_did_it(
    cast: Cast,
    admin: Client,
    rung_bells: list[tuple[str, int]],
    django_capture_on_commit_callbacks: Any,
) -> None:
    MembershipChange.objects.all().delete()
    initial = list(cast.front_desk.memberships.order_by("pk"))
    out = next(index for index, one in enumerate(initial) if one.agent == cast.cho)
    form = {"name": "Front Desk", **membership_form(cast.dov, initial=initial, delete=out)}
    with django_capture_on_commit_callbacks(execute=True):
        response = admin.post(admin_url("inboxes_inbox", "change", cast.front_desk.pk), form)
    assert response.status_code == 302
    assert set(cast.front_desk.members.all()) == {cast.ana, cast.ben, cast.dov}
    changes = MembershipChange.objects.filter(inbox=cast.front_desk)
    assert {(c.agent, c.kind, c.changed_by, c.changed_at is not None) for c in changes} == {
        (cast.cho, "removed", cast.admin, True),
        (cast.dov, "added", cast.admin, True),
    }
    assert {("agent", cast.cho.pk), ("agent", cast.dov.pk)} <= set(rung_bells)
    assert ("agent", cast.ana.pk) not in rung_bells
    page = admin.get(admin_url("inboxes_membershipchange", "changelist")).content.decode()
    assert "Cho Park" in page
    assert "Dov Levi" in page


def test_a_membership_does_not_pass_to_another_agent(cast: Cast, admin: Client) -> None:
    initial = list(cast.front_desk.memberships.order_by("pk"))
    form = {"name": "Front Desk", **membership_form(initial=initial)} | {
        "memberships-0-agent": cast.dov.pk
    }
    admin.post(admin_url("inboxes_inbox", "change", cast.front_desk.pk), form)
    assert set(cast.front_desk.members.all()) == {cast.ana, cast.ben, cast.cho}


def test_a_personal_line_has_no_members_in_admin_either(cast: Cast, admin: Client) -> None:
    address = admin_url("inboxes_inbox", "change", cast.anas_line.pk)
    assert "memberships-TOTAL_FORMS" not in admin.get(address).content.decode()
    admin.post(address, {"name": "Ana's", **membership_form(cast.dov)})
    assert not cast.anas_line.memberships.exists()
    admin.post(admin_url("inboxes_inbox", "change", cast.front_desk.pk),
               {"name": "Front Desk", "owner": cast.dov.pk, **membership_form()})  # fmt: skip
    cast.front_desk.refresh_from_db()
    assert cast.front_desk.owner is None


def test_creating_a_personal_line_with_members_is_refused(cast: Cast, admin: Client) -> None:
    form = {"name": "Dov", "owner": cast.dov.pk, **membership_form(cast.ben)}
    response = admin.post(admin_url("inboxes_inbox", "add"), form)
    assert response.status_code == 200
    assert "ersonal line" in response.content.decode()
    assert not Inbox.objects.filter(owner=cast.dov).exists()


def test_the_record_of_membership_changes_cannot_be_changed(cast: Cast, admin: Client) -> None:
    change = MembershipChange.objects.all()[0]
    model = "inboxes_membershipchange"
    assert (
        admin.post(admin_url(model, "change", change.pk), {"kind": "removed"}).status_code == 403
    )
    assert admin.post(admin_url(model, "delete", change.pk), {"post": "yes"}).status_code == 403
    assert admin.get(admin_url(model, "add")).status_code == 403


def test_an_inbox_with_a_history_cannot_be_deleted(cast: Cast, admin: Client) -> None:
    cast.thread()
    page = admin_url("inboxes_inbox", "delete", cast.front_desk.pk)
    with CaptureQueriesContext(connection) as queries:
        assert "because it has been used" in admin.get(page).content.decode()
    assert not [query for query in queries if "messaging_message" in query["sql"]]
    admin.post(page, {"post": "yes"})
    assert Inbox.objects.filter(pk=cast.front_desk.pk).exists()
    assert cast.front_desk.memberships.count() == 3


def test_an_account_is_created_and_then_asks_for_its_secrets(cast: Cast, admin: Client) -> None:
    form = {"carrier": "twilio", "name": "Second"}
    response = admin.post(admin_url("messaging_carrieraccount", "add"), form, follow=True)
    page = response.content.decode()
    assert "secrets." in page
    account = CarrierAccount.objects.get(name="Second")
    assert account.webhook_url in page
    form = {"name": "Second", "is_active": "on", "credential_account_sid": "AC9"}
    address = admin_url("messaging_carrieraccount", "change", account.pk)
    assert "Enter this to use the account." in admin.post(address, form).content.decode()
    form["credential_auth_token"] = "never-shown-again"
    page = admin.post(address, form, follow=True).content.decode()
    account.refresh_from_db()
    assert account.get_credentials()["auth_token"] == "never-shown-again"
    assert "never-shown-again" not in page + admin.get(address).content.decode()


def test_admin_never_shows_a_secret(cast: Cast, admin: Client) -> None:
    address = admin_url("messaging_carrieraccount", "change", cast.account.pk)
    bad = admin.post(address, {"name": "", "credential_auth_token": "typed-just-now"})
    assert bad.status_code == 200
    pages = [
        bad,
        admin.get(address),
        admin.get(admin_url("messaging_carrieraccount", "changelist")),
    ]
    admin.post(address, {"name": "Renamed", "is_active": "on", "credential_auth_token": "newer"})
    pages.append(admin.get(admin_url("messaging_carrieraccount", "history", cast.account.pk)))
    text = "".join(page.content.decode() for page in pages)
    for secret in [
        *SECRETS.values(),
        "typed-just-now",
        "newer",
        cast.account.encrypted_credentials,
    ]:
        assert secret not in text
    cast.account.refresh_from_db()
    assert cast.account.get_credentials() == SECRETS | {"auth_token": "newer"}


def test_a_number_is_normalised_and_bound_to_its_inbox(cast: Cast, admin: Client) -> None:
    inbox = Inbox.objects.create(name="Returns")
    form = {"address": "(202) 555-0119", "account": cast.account.pk, "inbox": inbox.pk}
    assert admin.post(admin_url("messaging_number", "add"), form).status_code == 302
    assert Number.objects.get(inbox=inbox).address == "+12025550119"
    for bad in ("PARCELBOX", "+12025550110"):
        response = admin.post(admin_url("messaging_number", "add"), form | {"address": bad})
        assert response.status_code == 200
    assert Number.objects.count() == 4


def test_moving_a_number_rings_the_bell_of_both_inboxes(
    cast: Cast,
    admin: Client,
    rung_bells: list[tuple[str, int]],
    django_capture_on_commit_callbacks: Any,
) -> None:
    inbox = Inbox.objects.create(name="Returns")
    number = cast.dispatch.number
    with django_capture_on_commit_callbacks(execute=True):
        admin.post(
            admin_url("messaging_number", "change", number.pk),
            {"account": cast.account.pk, "inbox": inbox.pk},
        )
    assert {("inbox", inbox.pk), ("inbox", cast.dispatch.pk)} <= set(rung_bells)


def test_no_page_of_the_agents_changes_a_membership(cast: Cast) -> None:
    before = set(Membership.objects.values_list("inbox", "agent"))
    thread = cast.thread()
    client = client_of(cast.ana)
    form = {"agent": cast.dov.pk, "inbox": cast.dispatch.pk, "memberships": cast.dov.pk}
    form |= membership_form(cast.dov) | {"body": "x", "form_key": "x", "message": 1}
    paths = ["/", f"/inboxes/{cast.front_desk.pk}/", f"/threads/{thread.pk}/"]
    paths += [f"/threads/{thread.pk}/messages/", f"/threads/{thread.pk}/read/"]
    paths += [
        admin_url("inboxes_inbox", "change", cast.front_desk.pk),
        admin_url("inboxes_inbox", "add"),
    ]
    for path in paths:
        for method in (client.post, client.put, client.delete, client.patch):
            method(path, form if method == client.post else b"{}")
    assert set(Membership.objects.values_list("inbox", "agent")) == before


def test_the_menu_holds_only_what_administrators_need(cast: Cast) -> None:
    cast.admin.is_superuser = True
    cast.admin.save()
    client = client_of(cast.admin)
    page = client.get("/admin/").content.decode()
    menu = page.split('<nav id="menu"')[1].split("</nav>")[0]
    named = re.findall(r"<h2>([^<]+)</h2>|<a\s[^>]*>([^<]+)</a>", menu)
    assert [group or link for group, link in named] == [
        "Overview",
        "People",
        "Agents",
        "Invitations",
        "Inboxes",
        "Inboxes",
        "Membership changes",
        "Carriers",
        "Carrier accounts",
        "Numbers",
        "Attempts to send",
        "Quarantine",
        "Opt-outs",
        "Settings",
        "Sign-in settings",
        "Opt-out settings",
    ]
    for other in ("mfa/authenticator", "usersessions/usersession", "auth/group"):
        assert client.get(f"/admin/{other}/").status_code == 404


def test_the_list_of_inboxes_shows_their_numbers(cast: Cast) -> None:
    page = client_of(cast.admin).get("/admin/inboxes/inbox/").content.decode()
    assert "(202) 555-0110" in page


def test_an_agents_page_shows_nothing_of_the_passwords_hash(cast: Cast) -> None:
    cast.ana.set_password("long-enough-words")
    cast.ana.save()
    page = client_of(cast.admin).get(f"/admin/inboxes/agent/{cast.ana.pk}/change/")
    assert "argon2" not in page.content.decode()
    assert "superuser" not in page.content.decode().lower()


def test_sign_in_settings_are_never_milder_than_the_environment(
    cast: Cast, admin: Client, settings: Any
) -> None:
    settings.TWO_STEP_SIGN_IN = "nobody"
    page = admin.get(admin_url("inboxes_signinsettings", "changelist"))["Location"]
    shown = admin.get(page).content.decode()
    assert all(f'value="{who}"' in shown for who in ("nobody", "administrators", "everybody"))
    assert admin.post(page, {"two_step": "administrators"}).status_code == 302
    assert SignInSettings.objects.get().two_step == "administrators"
    SignInSettings.objects.update(two_step="nobody")
    settings.TWO_STEP_SIGN_IN = "everybody"
    form = SignInSettingsForm({"two_step": "nobody"}, instance=SignInSettings.objects.get())
    field = form.fields["two_step"]
    assert isinstance(field, ChoiceField)
    assert field.choices == [("everybody", "Everybody")]
    assert not form.is_valid()
    assert "TWO_STEP_SIGN_IN" in str(field.help_text)
