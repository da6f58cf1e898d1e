from django.apps import AppConfig


class SimulatorConfig(AppConfig):
    """Simulate the outside world, to try Partyline out: handsets, and a carrier's far end."""

    name = "messaging.simulator"
    label = "simulator"
    default_auto_field = "django.db.models.BigAutoField"
