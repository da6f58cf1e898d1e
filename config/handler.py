"""Django's request handler."""

import django
from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class SingleThreadHandler(ASGIHandler):
    """Runs the middleware and the view of a request in one thread.

    All our views are synchronous. Django's own handler would change threads some seventeen times
    a request, twice for each middleware; this one changes once.
    """

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        return await sync_to_async(self.get_response, thread_sensitive=True)(request)


def get_application() -> ASGIHandler:
    """Do as `django.core.asgi.get_asgi_application`, with our handler."""
    django.setup(set_prefix=False)
    return SingleThreadHandler()
