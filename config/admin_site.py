"""Django admin, with a second factor where ADMIN_SECOND_FACTOR asks for one."""

from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django_otp.admin import OTPAdminAuthenticationForm, OTPAdminSite


class PartylineAdminSite(AdminSite):
    """Keeps the name `admin`, so that admin's own addresses resolve as usual."""

    site_header = "Partyline"
    site_title = "Partyline"
    index_title = "Administration"

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        if settings.ADMIN_SECOND_FACTOR:
            self.login_form = OTPAdminAuthenticationForm
            self.login_template = OTPAdminSite.login_template

    def has_permission(self, request: HttpRequest) -> bool:
        if not super().has_permission(request):
            return False
        return not settings.ADMIN_SECOND_FACTOR or bool(
            getattr(request.user, "is_verified", bool)()
        )
