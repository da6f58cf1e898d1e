from django.apps import AppConfig


class FloorConfig(AppConfig):
    name = "tests.bench.floor"
    label = "floor"

    def ready(self) -> None:
        from django.urls import path

        from messaging.live.routing import websocket_urlpatterns
        from tests.bench.floor.consumers import Echo

        websocket_urlpatterns.append(path("floor/echo/", Echo.as_asgi()))
