"""What a browser needs to keep Partyline on a home screen like an app of its own."""

from django.http import HttpRequest, JsonResponse
from django.templatetags.static import static
from django.views.decorators.http import require_safe

# The paper of the light theme (static/css/tokens.css): a manifest has one colour only.
PAPER = "#ffffff"


@require_safe
def manifest(request: HttpRequest) -> JsonResponse:
    """The same for everybody: browsers ask for it without a session."""
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
    found = {
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
    answer = JsonResponse(found, content_type="application/manifest+json")
    answer.headers["Cache-Control"] = "no-cache"
    return answer
