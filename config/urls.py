from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import URLPattern, URLResolver, include, path

from config.health import healthz, readyz
from config.manifest import show_manifest
from inboxes.sign_in import SignInForm

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("manifest.webmanifest", show_manifest, name="manifest"),
    path(
        "sign-in/",
        LoginView.as_view(authentication_form=SignInForm, redirect_authenticated_user=True),
        name="login",
    ),
    path("sign-out/", LogoutView.as_view(), name="logout"),
    path("simulator/", include("messaging.simulator.urls")),
    path("", include("inboxes.invitations.urls")),
    path("", include("messaging.urls")),
]
handler500 = "config.error_pages.show_failure"
