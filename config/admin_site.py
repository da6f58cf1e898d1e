"""Django admin, with a second factor if ADMIN_SECOND_FACTOR asks for one."""

from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest
from django.urls import reverse
from django_otp.admin import OTPAdminAuthenticationForm, OTPAdminSite

from inboxes import times
from inboxes.sign_in import PasswordsBusyMixin


class AdminSignInForm(PasswordsBusyMixin, AdminAuthenticationForm):
    """Django's sign-in form for administrators."""


class SecondFactorForm(PasswordsBusyMixin, OTPAdminAuthenticationForm):
    """A sign-in form that asks for a second factor too."""


class PartylineAdminSite(AdminSite):
    """Django's admin site. It keeps the name `admin`, so that admin's own URLs resolve."""

    site_header = "Partyline"
    site_title = "Partyline"
    index_title = "Administration"
    login_form: type[AuthenticationForm] = AdminSignInForm

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        if settings.ADMIN_SECOND_FACTOR:
            self.login_form = SecondFactorForm
            self.login_template = OTPAdminSite.login_template

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return {
            **super().each_context(request),
            "time_zone_name": times.name_zone(),
            "report_locale_url": reverse("messaging:report_locale"),
        }

    def has_permission(self, request: HttpRequest) -> bool:
        if not super().has_permission(request):
            return False
        return not settings.ADMIN_SECOND_FACTOR or bool(
            getattr(request.user, "is_verified", bool)()
        )
