"""Django admin, with a second factor if ADMIN_SECOND_FACTOR asks for one."""

from collections.abc import Iterable
from typing import Any

import django_otp
from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from config import admin_menu
from config.addresses import safe_next
from config.second_factor import AdminSecondFactorForm, CodeForm
from inboxes import times
from inboxes.backends import APPS
from inboxes.sign_in import PasswordsBusyMixin
from threads.templatetags.formats import initials

NOT_AN_ADMINISTRATOR = (
    "That isn't the username and password of an administrator. Both are case-sensitive."
)


class AdminSignInForm(PasswordsBusyMixin, AdminAuthenticationForm):
    """Django's sign-in form for administrators."""

    error_messages = AdminAuthenticationForm.error_messages | {
        "invalid_login": NOT_AN_ADMINISTRATOR
    }


class PartylineAdminSite(AdminSite):
    """Django's admin site. It keeps the name `admin`, so that admin's own URLs resolve."""

    site_header = "Partyline"
    site_title = "Partyline"
    index_title = "Overview"
    empty_value_display = "–"
    enable_nav_sidebar = False  # the menu is ours

    @property
    def login_form(self) -> type[AuthenticationForm]:  # type: ignore[override]
        return AdminSecondFactorForm if settings.ADMIN_SECOND_FACTOR else AdminSignInForm

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Leave out what other apps register, such as lockouts, jobs and groups."""
        models: Iterable[type[Model]] = (
            [model_or_iterable] if isinstance(model_or_iterable, type) else model_or_iterable
        )
        ours = [model for model in models if model._meta.app_label in APPS]
        super().register(ours, admin_class, **options)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return {
            **super().each_context(request),
            "time_zone_name": times.name_zone(),
            "report_locale_url": reverse("messaging:report_locale"),
            "sign_out_url": reverse("logout"),
            "initials": initials(getattr(request.user, "display_name", "")),
        }

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        return admin_menu.group_pages(self._build_app_dict(request, app_label).values())

    def app_index(  # type: ignore[override]
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead to the overview: apps are nothing that an administrator knows of."""
        if app_label not in APPS:
            raise Http404("No such app.")
        return redirect("admin:index")

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and not self._lacks_second_factor(request)

    def _lacks_second_factor(self, request: HttpRequest) -> bool:
        """Return True for an administrator who has given their password only."""
        if not settings.ADMIN_SECOND_FACTOR or not super().has_permission(request):
            return False
        return not getattr(request.user, "is_verified", bool)()

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if self._lacks_second_factor(request):
            return self._ask_for_code(request)
        return super().login(request, {"title": "Sign in"} | (extra_context or {}))

    def _ask_for_code(self, request: HttpRequest) -> HttpResponse:
        form = CodeForm(request)
        target = safe_next(request, reverse("admin:index"))
        if form.is_valid():
            django_otp.login(request, form.device)
            return redirect(target)
        context = {
            **self.each_context(request),
            "title": "Two-step sign-in",
            "form": form,
            "next": target,
        }
        return TemplateResponse(request, "admin/second_factor.html", context)
