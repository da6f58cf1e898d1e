"""Django admin, reached by the one sign-in of the site."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

from config import admin_menu
from config.addresses import safe_next
from config.version import VERSION
from inboxes import times
from inboxes.backends import APPS
from messaging.administration import overview
from messaging.setup.checklist import read_checklist
from threads.templatetags.formats import initials


class PartylineAdminSite(AdminSite):
    """Django's admin site. It keeps the name `admin`, so that admin's own URLs resolve.

    Who lacks a second step does not get here: `inboxes.sign_in.middleware` leads them to it.
    """

    site_header = "Partyline"
    site_title = "Partyline"
    index_title = "Overview"
    empty_value_display = "–"
    enable_nav_sidebar = False  # the menu is ours

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Leave out what other apps register, such as e-mail addresses, jobs and groups."""
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
            "account_url": reverse("messaging:account"),
            "sign_out_url": reverse("account_logout"),
            "initials": initials(getattr(request.user, "display_name", "")),
        }

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        return admin_menu.group_pages(self._build_app_dict(request, app_label).values())

    def get_urls(self) -> list[Any]:
        """Add what concerns a model of a lower app, but is known only by a higher one."""
        # Its package registers models, which needs this site.
        from messaging.admin.contact_export import export_inbox
        from messaging.admin.deactivation import deactivate, reactivate

        further = [
            path(
                "inboxes/inbox/<int:pk>/contacts/",
                self.admin_view(export_inbox),
                name="inboxes_inbox_contacts",
            ),
            path(
                "inboxes/agent/<int:pk>/deactivate/",
                self.admin_view(deactivate),
                name="inboxes_agent_deactivate",
            ),
            path(
                "inboxes/agent/<int:pk>/reactivate/",
                self.admin_view(reactivate),
                name="inboxes_agent_reactivate",
            ),
        ]
        return [*further, *super().get_urls()]

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Say what is missing, what is wrong now, and how much there is of what."""
        about = {
            "checklist": read_checklist(),
            "troubles": overview.find_troubles(),
            "facts": [*overview.read_facts(), overview.Fact(VERSION, "version")],
        }
        return super().index(request, about | (extra_context or {}))

    def app_index(  # type: ignore[override]  # every answer will do
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead to the overview: apps are nothing that an administrator knows of."""
        if app_label not in APPS:
            raise Http404("No such app.")
        return redirect("admin:index")

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        inner: Callable[..., HttpResponse] = super().admin_view(view, cacheable)

        @wraps(inner)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not self.has_permission(request):
                return self._turn_away(request, request.get_full_path())
            return inner(request, *args, **kwargs)

        return guarded

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead an old address of the administration's own sign-in on to where it was going."""
        target = safe_next(request, reverse("admin:index"))
        if self.has_permission(request):
            return redirect(target)
        return self._turn_away(request, target)

    def logout(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return redirect("account_logout")

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return redirect("account_change_password")

    def _turn_away(self, request: HttpRequest, target: str) -> HttpResponse:
        """Ask whoever is signed out to sign in, and tell others whom they are signed in as."""
        if not request.user.is_authenticated:
            return redirect_to_login(target, reverse("account_login"))
        return TemplateResponse(
            request, "account/no_administrator.html", {"next": target}, status=403
        )
