"""The way in for requests and sockets, for `serve` and for a plain Daphne alike."""

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from config.handler import get_application

django_application = get_application()

# Whatever is imported from here on needs Django's apps.
from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import OriginValidator
from django.conf import settings

from config.admission import SignIns, SocketsByAddress
from config.ending import mind_plain_daphne
from config.request_limits import limit_requests
from config.single import AlonePlease
from config.statics import StaticFiles
from config.websockets import use_page_sockets
from messaging.live.routing import websocket_urlpatterns


class ExactOrigin(OriginValidator):
    """Scheme, host and port must be ours. (The validator that goes by ALLOWED_HOSTS looks at the
    host only, and a port that is no number makes either of them raise.)"""

    def valid_origin(self, parsed_origin: Any) -> bool:
        try:
            return bool(super().valid_origin(parsed_origin))
        except ValueError:
            return False


pages = StaticFiles(SignIns(django_application))
sockets = SocketsByAddress(
    ExactOrigin(AuthMiddlewareStack(URLRouter(websocket_urlpatterns)), settings.ORIGINS),
    settings.SOCKETS_PER_ADDRESS,
)
application = AlonePlease(ProtocolTypeRouter({"http": pages, "websocket": sockets}))
limit_requests()
use_page_sockets()
mind_plain_daphne()
