"""Django admin for agents and inboxes: the only pages that change memberships."""

from __future__ import annotations

from typing import Any, ClassVar

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminTextareaWidget
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Greatest
from django.forms import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path

from inboxes import actions
from inboxes.badges import badge, name_some
from inboxes.company.linking import unlink
from inboxes.company.provider import is_set_up
from inboxes.emails import sends_email
from inboxes.hours import admin as hours
from inboxes.hours.forms import HoursForm
from inboxes.invitations import actions as invitations
from inboxes.invitations.admin import OneTimeLinkAdmin, show_once
from inboxes.models import Agent, Inbox, Membership, MembershipChange
from inboxes.requests import signed_in_agent
from inboxes.sign_in.admin import SignInSettingsAdmin
from inboxes.sign_in.confirming import confirm_changes, require_confirmation
from inboxes.sign_in.demand import factor_exists
from inboxes.times import time_element

__all__ = [
    "AgentAdmin",
    "InboxAdmin",
    "MembershipChangeAdmin",
    "OneTimeLinkAdmin",
    "SignInSettingsAdmin",
]


class AgentForm(forms.ModelForm[Agent]):
    class Meta:
        model = Agent
        fields = ("username", "display_name", "email", "is_staff")
        labels: ClassVar = {"email": "E-mail address", "is_staff": "Administrator"}
        help_texts: ClassVar = {
            "username": "Colleagues mention them by it: letters, digits, and @ . + - _",
            "is_staff": "May use this administration.",
        }

    def clean_username(self) -> str:
        """Refuse a colleague's name in another spelling: people are mentioned by it."""
        username: str = Agent.normalize_username(self.cleaned_data["username"])
        is_new = username != self.initial.get("username")
        if is_new and invitations.is_username_taken(username, but_for=self.instance.pk):
            raise forms.ValidationError("Somebody here has that username already.")
        return username

    def clean_email(self) -> str:
        """Refuse a colleague's address: links for a lost password go to it."""
        email: str = self.cleaned_data["email"]
        others = Agent.objects.exclude(pk=self.instance.pk).filter(email__iexact=email)
        if email and (other := others.first()) is not None:
            raise forms.ValidationError(f"That's {other.display_name}'s address.")
        return email

    def clean_is_staff(self) -> bool:
        is_staff: bool = self.cleaned_data["is_staff"]
        if "is_staff" in self.changed_data and not is_staff:
            try:
                actions.keep_an_administrator(but=self.instance)
            except actions.LastAdministrator:
                raise forms.ValidationError(actions.LAST_ADMINISTRATOR) from None
        return is_staff


class MaySignInFilter(admin.BooleanFieldListFilter):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "may sign in"


class AdministratorFilter(admin.BooleanFieldListFilter):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "administrator"


@admin.register(Agent)
class AgentAdmin(admin.ModelAdmin[Agent]):
    """Agents come in by invitations, and choose their passwords themselves."""

    form = AgentForm
    list_display = (
        "display_name", "username", "their_inboxes", "role", "two_step", "last_seen"
    )  # fmt: skip
    list_filter = (
        ("is_active", MaySignInFilter),
        ("is_staff", AdministratorFilter),
        "memberships__inbox",
    )
    ordering = ("display_name", "pk")
    search_fields = ("username", "display_name", "email")
    fieldsets = (
        (None, {"fields": ("username", "display_name", "email")}),
        (
            "Access",
            {
                "fields": ("is_staff",),
                "description": (
                    "Administrators don't see conversations here. For that they have to be a "
                    "member of an inbox, like everyone else."
                ),
            },
        ),
        ("So far", {"fields": ("their_inboxes", "two_step", "last_seen", "joined")}),
    )
    readonly_fields = ("their_inboxes", "two_step", "last_seen", "joined")
    actions = ("unlink_company_sign_in",)

    def get_queryset(self, request: HttpRequest) -> Any:
        sessions = UserSession.objects.filter(user=OuterRef("pk")).order_by("-last_seen_at")
        return (
            super()
            .get_queryset(request)
            .select_related("personal_line")
            .prefetch_related("inboxes")
            .annotate(
                seen_at=Greatest("last_login", Subquery(sessions.values("last_seen_at")[:1])),
                has_two_steps=factor_exists(),
            )
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Agent | None = None) -> Any:
        """Keep administrators from taking their own rights: somebody has to be left."""
        is_oneself = obj is not None and obj == request.user
        return (*self.readonly_fields, *(("is_staff",) if is_oneself else ()))

    @admin.display(description="inboxes")
    def their_inboxes(self, agent: Agent) -> str:
        names = sorted(inbox.name for inbox in agent.inboxes.all())
        line = getattr(agent, "personal_line", None)
        if line is not None:
            names.append("personal line")
        return name_some(names) or "none"

    @admin.display(description="role", ordering="is_staff")
    def role(self, agent: Agent) -> str:
        if not agent.is_active:
            return badge("Deactivated", "bad")
        return badge("Administrator", "good") if agent.is_staff else "Agent"

    @admin.display(description="two-step sign-in", ordering="has_two_steps")
    def two_step(self, agent: Any) -> str:
        return badge("On", "good") if agent.has_two_steps else "Off"

    @admin.display(description="here since")
    def joined(self, agent: Agent) -> str:
        return time_element(agent.date_joined, "date")

    @admin.display(description="last seen", ordering="seen_at")
    def last_seen(self, agent: Any) -> str:
        return time_element(agent.seen_at, "past") or "never"

    def get_actions(self, request: HttpRequest) -> Any:
        deeds = super().get_actions(request)
        if not is_set_up():
            deeds.pop("unlink_company_sign_in", None)
        return deeds

    @admin.action(description="Unlink company sign-in")
    def unlink_company_sign_in(self, request: HttpRequest, agents: QuerySet[Agent]) -> None:
        """Let the address decide again at the next company sign-in."""
        unlinked = [agent for agent in agents if unlink(agent=agent)]
        for agent in unlinked:
            self.log_change(request, agent, "Unlinked company sign-in.")
        names = ", ".join(agent.display_name for agent in unlinked)
        said = f"Company sign-in unlinked: {names}." if names else "Nobody selected uses it."
        self.message_user(request, said)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.make_reset_link)
        reset = path("<int:agent_id>/reset-link/", view, name="inboxes_agent_reset_link")
        return [reset, *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return redirect("admin:inboxes_onetimelink_add")

    def save_model(self, request: HttpRequest, obj: Agent, form: Any, change: bool) -> None:
        """Save, after a confirmation for what gives power: links go to the address, and company
        sign-in goes by it."""
        rights = f"change {obj.display_name}'s rights or e-mail address"
        confirm_changes(request, form, "is_staff", "email", to=rights)
        super().save_model(request, obj, form, change)

    def make_reset_link(self, request: HttpRequest, agent_id: int) -> HttpResponse:
        """Ask before making a link by which an agent chooses a new password, then show it once."""
        agent = get_object_or_404(Agent, pk=agent_id, is_active=True)
        require_confirmation(request, to=f"make a reset link for {agent.display_name}")
        if request.method == "POST":
            removes = "removes_second_factors" in request.POST
            new = invitations.send_reset_link(
                agent=agent,
                made_by=signed_in_agent(request),
                removes_second_factors=removes,
            )
            also = " that removes the second factors" if removes else ""
            self.log_change(request, agent, f"Made a reset link{also}.")
            return show_once(request, [new])
        context = {
            **self.admin_site.each_context(request),
            "title": "Make a reset link",
            "opts": self.opts,
            "agent": agent,
            "goes_to": agent.email if sends_email() else "",
            "has_second_factor": Authenticator.objects.filter(user=agent).exists(),
        }
        return TemplateResponse(request, "admin/inboxes/agent/reset_link.html", context)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Agent | None = None) -> bool:
        """Refuse: agents are deactivated, because their messages refer to them."""
        return False


class MembershipFormSet(BaseInlineFormSet[Membership, Inbox, forms.ModelForm[Membership]]):
    def clean(self) -> None:
        super().clean()
        if self.instance.is_personal and any(form.has_changed() for form in self.forms):
            raise forms.ValidationError("A personal line has no members.")

    def add_fields(self, form: Any, index: int | None) -> None:
        """Name the box that removes a member by who that is."""
        super().add_fields(form, index)
        if "DELETE" in form.fields:
            who = str(form.instance.agent) if form.instance.pk else ""
            form.fields["DELETE"].widget.attrs["aria-label"] = f"Remove {who}".strip()


class MembershipInline(admin.TabularInline[Membership, Inbox]):
    model = Membership
    formset = MembershipFormSet
    extra = 1
    autocomplete_fields = ("agent",)
    readonly_fields = ("since",)
    verbose_name = "member"
    verbose_name_plural = "members"

    @admin.display(description="member since")
    def since(self, membership: Membership) -> str:
        return time_element(membership.created_at, "date")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("agent", "inbox")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: a membership starts or ends; it never passes to another agent."""
        return False


class IsPersonalFilter(admin.SimpleListFilter):
    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("shared", "Shared inbox"), ("personal", "Personal line")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() is None:
            return queryset
        return queryset.filter(owner__isnull=self.value() == "shared")


class AttendedFilter(admin.SimpleListFilter):
    title = "attended"
    parameter_name = "attended"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", "By nobody")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.unattended() if self.value() == "no" else queryset


MINUTES_IN_A_WEEK = 7 * 24 * 60


class InboxForm(HoursForm):
    class Meta:
        labels: ClassVar = {
            "assigns_first_answerer": "Assign to whoever answers first",
            "unassigned_notifies": "Unassigned conversations notify",
            "alert_after_minutes": "Alert when a text waits for (minutes)",
            "has_quiet_hours": "Ask before texting at night",
            "members_export_contacts": "Members may export contacts",
        }
        help_texts: ClassVar = {
            "assigns_first_answerer": (
                "A conversation that is assigned to nobody becomes that of the first member who "
                "answers it."
            ),
            "unassigned_notifies": (
                "Members who chose “Mine and mentions” are also notified of conversations that "
                "are assigned to nobody."
            ),
            "alert_after_minutes": (
                "When a text has waited so many minutes for a reply, whoever the conversation is "
                "assigned to is notified, else every member, by their notification settings. "
                "Leave empty for never."
            ),
            "has_quiet_hours": (
                "Members are asked once before a text reaches a contact between 9 PM and 8 AM, in "
                "the contact's own time zone. They aren't asked when they answer a text of the "
                "last hour."
            ),
            "members_export_contacts": (
                "They then find Export on the page Contacts. Administrators who are members of "
                "the inbox always do."
            ),
        }

    def clean_alert_after_minutes(self) -> int | None:
        minutes: int | None = self.cleaned_data["alert_after_minutes"]
        if minutes is not None and not 1 <= minutes <= MINUTES_IN_A_WEEK:
            raise forms.ValidationError("Choose between 1 minute and a week, or leave it empty.")
        return minutes

    def clean_owner(self) -> Agent | None:
        owner: Agent | None = self.cleaned_data["owner"]
        if owner is not None and self.instance.pk and self.instance.memberships.exists():
            raise forms.ValidationError("An inbox with members can't become a personal line.")
        return owner


@admin.register(Inbox)
class InboxAdmin(admin.ModelAdmin[Inbox]):
    form = InboxForm
    autocomplete_fields = ("owner",)
    list_display = ("name", "number_address", "their_members")
    list_filter = (IsPersonalFilter, AttendedFilter)
    list_select_related = ("owner", "number")
    ordering = ("name", "pk")
    search_fields = ("name", "owner__username", "owner__display_name", "number__address")
    actions = None  # a bulk deletion would bypass `delete_inbox`
    # What other apps know of an inbox. Their formsets write by their own actions.
    inlines_of_others: ClassVar[list[type[admin.TabularInline[Any, Inbox]]]] = []

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("members")

    @admin.display(description="number", ordering="number__address")
    def number_address(self, inbox: Any) -> str:
        number = getattr(inbox, "number", None)
        return number.display if number is not None else badge("No number")

    @admin.display(description="members")
    def their_members(self, inbox: Inbox) -> str:
        if inbox.owner is not None:
            return f"Personal line of {inbox.owner}"
        names = [agent.display_name for agent in inbox.members.all() if agent.is_active]
        return name_some(sorted(names)) or badge("Nobody", "bad")

    def get_fields(self, request: HttpRequest, obj: Inbox | None = None) -> Any:
        """Leave out what needs a team for a personal line, and the answer to HELP: its owner
        answers."""
        texts = ("confirms_opt_outs", "opt_out_text")
        contacts = ("has_quiet_hours", "members_export_contacts")
        if obj is not None and obj.is_personal:
            return ("name", "owner", *texts, "alert_after_minutes", *contacts)
        work = ("assigns_first_answerer", "unassigned_notifies", "alert_after_minutes")
        return ("name", "owner", "help_text", *texts, *work, *contacts)

    def get_fieldsets(self, request: HttpRequest, obj: Inbox | None = None) -> Any:
        return [*super().get_fieldsets(request, obj), *hours.FIELDSETS]

    @admin.display(description="how it reads")
    def how_hours_read(self, inbox: Inbox) -> str:
        return hours.read_out(inbox)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(hours.preview_hours)
        return [path("hours/", view, name="inboxes_inbox_hours"), *super().get_urls()]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Give whole texts more than one line."""
        if db_field.name in {"help_text", "opt_out_text"}:
            kwargs["widget"] = AdminTextareaWidget(attrs={"rows": 3})
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_inlines(self, request: HttpRequest, obj: Inbox | None) -> list[Any]:
        mine = [] if obj is not None and obj.is_personal else [MembershipInline]
        return [hours.ClosedDayInline, *mine, *self.inlines_of_others]

    def get_readonly_fields(self, request: HttpRequest, obj: Inbox | None = None) -> Any:
        """Fix the owner after creation, so that conversations stay with those who had them."""
        return ("how_hours_read",) if obj is None else ("how_hours_read", "owner")

    def save_model(self, request: HttpRequest, obj: Inbox, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        actions.announce_inbox(inbox=obj)
        if not change and obj.owner is not None:
            actions.announce_agent(agent=obj.owner)

    def save_formset(
        self,
        request: HttpRequest,
        form: Any,
        formset: BaseInlineFormSet[Any, Any, Any],
        change: bool,
    ) -> None:
        if formset.model is not Membership:
            formset.save()
            return
        formset.save(commit=False)
        changed_by = signed_in_agent(request)
        for membership in formset.deleted_objects:
            actions.remove_member(
                inbox=membership.inbox, agent=membership.agent, changed_by=changed_by
            )
        for membership in formset.new_objects:
            actions.add_member(
                inbox=membership.inbox, agent=membership.agent, changed_by=changed_by
            )

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Refuse an inbox that was used without collecting its messages and contacts, which may be
        millions."""
        used = [str(inbox) for inbox in objs if _is_used(inbox)]
        return ([], {}, set(), used) if used else super().get_deleted_objects(objs, request)

    def delete_model(self, request: HttpRequest, obj: Inbox) -> None:
        actions.delete_inbox(inbox=obj, changed_by=signed_in_agent(request))


def _is_used(inbox: Inbox) -> bool:
    """Return True if it knows a contact; its row shows no message of those who are blocked."""
    return inbox.last_message_id is not None or inbox.contacts.exists()


@admin.register(MembershipChange)
class MembershipChangeAdmin(admin.ModelAdmin[MembershipChange]):
    list_display = ("when", "agent", "kind", "inbox", "changed_by")
    list_filter = ("kind", "inbox")
    list_select_related = ("agent", "inbox", "changed_by")
    search_fields = ("agent__username", "agent__display_name", "inbox__name")
    date_hierarchy = "changed_at"
    actions = None

    @admin.display(description="when", ordering="changed_at")
    def when(self, change: MembershipChange) -> str:
        return time_element(change.changed_at, "hour")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
