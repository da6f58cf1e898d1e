"""The web app manifest, with which a browser can install Partyline on a home screen."""

from django.http import HttpRequest, JsonResponse
from django.templatetags.static import static
from django.views.decorators.http import require_safe

# The background of the light theme (static/css/tokens.css): a manifest has only one colour.
PAPER = "#ffffff"


@require_safe
def show_manifest(request: HttpRequest) -> JsonResponse:
    """Answer the same for everybody: browsers ask for it without a session."""
    icons = [
        {
            "src": static(f"img/icon-{name}{size}.png"),
            "sizes": f"{size}x{size}",
            "type": "image/png",
            "purpose": purpose,
        }
        for purpose, name in (("any", ""), ("maskable", "maskable-"))
        for size in (192, 512)
    ]
    content = {
        "id": "/",
        "name": "Partyline",
        "short_name": "Partyline",
        "description": "Your team's text messages, in one place.",
        "lang": "en",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": PAPER,
        "theme_color": PAPER,
        "icons": icons,
    }
    answer = JsonResponse(content, content_type="application/manifest+json")
    answer.headers["Cache-Control"] = "no-cache"
    return answer
