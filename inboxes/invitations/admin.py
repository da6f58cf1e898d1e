"""Administer invitations and reset links. Their addresses are shown once, when they are made."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from inboxes.emails import sends_email
from inboxes.invitations import actions
from inboxes.invitations.people import InviteForm
from inboxes.invitations.shown import keep_to_show, take_shown
from inboxes.invitations.tokens import LinkIsOver, NewLink, why_over_early
from inboxes.models import OneTimeLink
from inboxes.requests import signed_in_agent
from inboxes.sign_in.confirming import require_confirmation
from inboxes.times import time_element

State = OneTimeLink.State
EmailState = OneTimeLink.EmailState


class IsWaitingFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("waiting", "Waiting"), ("over", "Over")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "waiting":
            return queryset.waiting()
        if self.value() == "over":
            return queryset.exclude(pk__in=OneTimeLink.objects.waiting().values("pk"))
        return queryset


@admin.register(OneTimeLink)
class OneTimeLinkAdmin(admin.ModelAdmin[OneTimeLink]):
    list_display = ("whose", "kind", "state_words", "email_words", "made_by", "created_at")
    list_filter = (IsWaitingFilter, "kind")
    list_select_related = ("agent", "made_by", "used_by", "revoked_by")
    search_fields = ("name", "email", "agent__display_name", "agent__username")
    actions = None
    fields = (
        "kind",
        "state_words",
        "email_words",
        "inbox_names",
        "administrator",
        "second_factors",
        "made_by",
        "created_at",
        "expires_at",
    )
    readonly_fields = tuple(name for name in fields if name not in {"kind", "made_by"})

    def get_fields(self, request: HttpRequest, obj: OneTimeLink | None = None) -> Any:
        """Leave out what does not concern this kind of link."""
        others = {"second_factors"}
        if obj is not None and not obj.is_invitation:
            others = {"inbox_names", "administrator"}
        return [name for name in self.fields if name not in others]

    @admin.display(description="for", ordering="name")
    def whose(self, link: OneTimeLink) -> str:
        return link.whose

    @admin.display(description="state", ordering="expires_at")
    def state_words(self, link: OneTimeLink) -> SafeString:
        return describe_state(link)

    @admin.display(description="e-mail", ordering="email_state")
    def email_words(self, link: OneTimeLink) -> SafeString:
        return describe_email(link)

    @admin.display(description="inboxes")
    def inbox_names(self, link: OneTimeLink) -> str:
        return ", ".join(link.inboxes.order_by("name").values_list("name", flat=True)) or "None"

    @admin.display(description="administrator")
    def administrator(self, link: OneTimeLink) -> str:
        return "Yes" if link.is_administrator else "No"

    @admin.display(description="second factors")
    def second_factors(self, link: OneTimeLink) -> str:
        return "Removed too" if link.removes_second_factors else "Kept"

    def get_urls(self) -> list[Any]:
        made = path("made/", self.wrap(self.show_made), name="inboxes_onetimelink_made")
        deeds = [
            path(f"<int:link_id>/{name}/", self.wrap(view), name=f"inboxes_onetimelink_{name}")
            for name, view in (("revoke", self.revoke), ("renew", self.renew))
        ]
        return [made, *deeds, *super().get_urls()]

    def wrap(self, view: Any) -> Any:
        return self.admin_site.admin_view(view)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Invite colleagues, and show their links once."""
        form = InviteForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            return self._invite(request, form)
        context = {
            **self.admin_site.each_context(request),
            "title": "Invite colleagues",
            "opts": self.opts,
            "form": form,
            "sends_email": sends_email(),
        }
        status = 422 if form.is_bound else 200
        template = "admin/inboxes/onetimelink/invite.html"
        return TemplateResponse(request, template, context, status=status)

    def _invite(self, request: HttpRequest, form: InviteForm) -> HttpResponse:
        if form.cleaned_data["is_administrator"]:
            require_confirmation(request, to="invite an administrator")
        inviter = signed_in_agent(request)
        with transaction.atomic():
            made = [actions.invite(invited_by=inviter, **values) for values in form.values()]
            for new in made:
                self.log_addition(request, new.link, "Invited.")
        return show_once(request, made)

    def show_made(self, request: HttpRequest) -> HttpResponse:
        """Show the links that were just made; a second time there is nothing left to show."""
        made = take_shown(request)
        if not made:
            return redirect("admin:inboxes_onetimelink_changelist")
        context = {
            **self.admin_site.each_context(request),
            "title": "Give them the link" if len(made) == 1 else "Give them the links",
            "opts": self.opts,
            "made": made,
        }
        response = TemplateResponse(request, "admin/inboxes/onetimelink/made.html", context)
        response.headers["Cache-Control"] = "private, no-store"
        return response

    def revoke(self, request: HttpRequest, link_id: int) -> HttpResponse:
        if request.method != "POST":
            return redirect("admin:inboxes_onetimelink_change", link_id)
        link = self._get_link(request, link_id)
        actions.revoke(link=link, revoked_by=signed_in_agent(request))
        self.log_change(request, link, "Revoked.")
        messages.success(request, f"The link for {link.whose} doesn't work any more.")
        return redirect("admin:inboxes_onetimelink_changelist")

    def renew(self, request: HttpRequest, link_id: int) -> HttpResponse:
        if request.method != "POST":
            return redirect("admin:inboxes_onetimelink_change", link_id)
        link = self._get_link(request, link_id)
        if link.is_administrator or not link.is_invitation:
            require_confirmation(request, to=f"make a new link for {link.whose}")
        try:
            new = actions.renew(link=link, made_by=signed_in_agent(request))
        except LinkIsOver:
            messages.error(request, f"The link for {link.whose} was used or replaced just now.")
            return redirect("admin:inboxes_onetimelink_changelist")
        self.log_change(request, link, "Replaced by a new link.")
        return show_once(request, [new])

    def _get_link(self, request: HttpRequest, link_id: int) -> OneTimeLink:
        link = OneTimeLink.objects.filter(pk=link_id).first()
        if link is None or link.state == State.USED:
            raise Http404("There is no such link.")
        return link

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        link = self.get_object(request, object_id)
        more = {"link": link, "title": ""}
        return super().change_view(request, object_id, form_url, more)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        lead = "Links by which colleagues join or choose a new password. Each works once."
        return super().changelist_view(request, {"list_lead": lead})

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def show_once(request: HttpRequest, made: list[NewLink]) -> HttpResponse:
    """Lead to the page that shows these links, so that reloading it makes no further ones."""
    keep_to_show(request, made)
    return redirect("admin:inboxes_onetimelink_made")


def describe_state(link: OneTimeLink) -> SafeString:
    match link.state:
        case State.USED:
            return format_html(
                "<span>Used by {} {}</span>",
                link.used_by or "–",
                time_element(link.used_at, "past"),
            )
        case State.REVOKED:
            return format_html("<span>Revoked {}</span>", time_element(link.revoked_at, "past"))
        case State.EXPIRED:
            return format_html("<span>Expired {}</span>", time_element(link.expires_at, "past"))
    if why := why_over_early(link):
        return format_html("<span>Over: {}</span>", why)
    return format_html("<span>Waiting until {}</span>", time_element(link.expires_at, "inline"))


def describe_email(link: OneTimeLink) -> SafeString:
    at = time_element(link.email_at, "inline")
    match link.email_state:
        case EmailState.SENT:
            return format_html(
                "<span>Sent to {} {}</span>",
                link.email_address,
                time_element(link.email_at, "past"),
            )
        case EmailState.WAITING:
            return format_html("<span>On its way to {}</span>", link.email_address)
        case EmailState.RETRYING:
            return format_html(
                "<span>Not sent yet: {} Partyline tries again {}.</span>", link.email_error, at
            )
        case EmailState.FAILED:
            advice = "Make a new link and give it to them."
            return format_html("<span>Not sent: {} {}</span>", link.email_error, advice)
    return SafeString("–")
