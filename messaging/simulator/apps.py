from django.apps import AppConfig


class SimulatorConfig(AppConfig):
    """The demo's outside world: handsets, and the far end of a carrier. Never in production."""

    name = "messaging.simulator"
    label = "simulator"
    default_auto_field = "django.db.models.BigAutoField"
