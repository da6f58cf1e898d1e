"""The ASGI application, both for `serve` and for a plain Daphne."""

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from config.handler import get_application

django_application = get_application()

# The imports from here on need Django's apps.
from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import OriginValidator
from django.conf import settings

from config.admission import SignInQueue, SocketLimit
from config.request_limits import install_request_limits
from config.shutdown import exit_with_reactor
from config.single_process import SingleProcessMiddleware
from config.static_files import StaticFiles
from config.warming import load_with_reactor
from config.websockets import install_page_sockets
from messaging.live.routing import websocket_urlpatterns


class ExactOrigin(OriginValidator):
    """Accepts a socket only from our own scheme, host and port.

    Channels' AllowedHostsOriginValidator compares only the host. Both raise for a port that is not
    a number.
    """

    def valid_origin(self, parsed_origin: Any) -> bool:
        try:
            return bool(super().valid_origin(parsed_origin))
        except ValueError:
            return False


pages = StaticFiles(SignInQueue(django_application))
sockets = SocketLimit(
    ExactOrigin(AuthMiddlewareStack(URLRouter(websocket_urlpatterns)), settings.ORIGINS),
    settings.SOCKETS_PER_ADDRESS,
)
application = SingleProcessMiddleware(ProtocolTypeRouter({"http": pages, "websocket": sockets}))
install_request_limits()
install_page_sockets()
exit_with_reactor()
load_with_reactor()
