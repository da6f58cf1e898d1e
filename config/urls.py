from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from config.health import healthz, readyz
from config.manifest import show_manifest

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("manifest.webmanifest", show_manifest, name="manifest"),
    path("", include("inboxes.company.urls")),
    path("", include("inboxes.sign_in.urls")),
    path("", include("messaging.your_account.urls")),
    path("simulator/", include("messaging.simulator.urls")),
    path("", include("inboxes.invitations.urls")),
    path("", include("messaging.urls")),
]
handler500 = "config.error_pages.show_failure"
