from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "messaging"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from messaging.conversations.search import bodies_of
        from threads.search import lend_bodies

        lend_bodies(bodies_of)
