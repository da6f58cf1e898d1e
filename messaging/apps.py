from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "messaging"
    verbose_name = "Carriers and numbers"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from messaging.contacts.imports import importing
        from messaging.notifications import signals as notifications
        from messaging.replies import files
        from messaging.setup import signals as setup
        from messaging.work import leaving

        importing.connect_receivers()
        notifications.connect_receivers()
        files.connect_receivers()
        setup.connect_receivers()
        leaving.connect_receivers()
