from django.apps import AppConfig


class InboxesConfig(AppConfig):
    name = "inboxes"
    verbose_name = "People and inboxes"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from inboxes import signals

        signals.connect_receivers()
