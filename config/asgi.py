"""The way in for requests and sockets, for `serve` and for a plain Daphne alike."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.core.asgi import get_asgi_application  # noqa: E402  Django reads the setting first

django_application = get_asgi_application()

from channels.auth import AuthMiddlewareStack  # noqa: E402  needs Django's apps
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402  needs Django's apps
from channels.security.websocket import OriginValidator  # noqa: E402  needs Django's apps
from django.conf import settings  # noqa: E402  needs Django's apps

from config.single import AlonePlease  # noqa: E402  needs Django's apps
from messaging.routing import websocket_urlpatterns  # noqa: E402  needs Django's apps

# The channels validator that goes by ALLOWED_HOSTS ignores scheme and port; this one does not.
sockets = OriginValidator(
    AuthMiddlewareStack(URLRouter(websocket_urlpatterns)), settings.ORIGINS
)
application = AlonePlease(
    ProtocolTypeRouter({"http": django_application, "websocket": sockets})
)
