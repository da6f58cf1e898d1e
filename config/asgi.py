"""The way in for requests and sockets, for `serve` and for a plain Daphne alike."""

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

from channels.auth import AuthMiddlewareStack  # noqa: E402  needs Django's apps
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402  needs Django's apps
from channels.security.websocket import OriginValidator  # noqa: E402  needs Django's apps
from django.conf import settings  # noqa: E402  needs Django's apps

from config.ending import mind_plain_daphne  # noqa: E402  needs Django's apps
from config.single import AlonePlease  # noqa: E402  needs Django's apps
from messaging.routing import websocket_urlpatterns  # noqa: E402  needs Django's apps


class ExactOrigin(OriginValidator):
    """Scheme, host and port must be ours. (The validator that goes by ALLOWED_HOSTS looks at the
    host only, and a port that is no number makes either of them raise.)"""

    def valid_origin(self, parsed_origin: Any) -> bool:
        try:
            return bool(super().valid_origin(parsed_origin))
        except ValueError:
            return False


sockets = ExactOrigin(AuthMiddlewareStack(URLRouter(websocket_urlpatterns)), settings.ORIGINS)
application = AlonePlease(ProtocolTypeRouter({"http": django_application, "websocket": sockets}))
mind_plain_daphne()
