from django.urls import path

from messaging.views import conversation, webhooks

app_name = "messaging"
urlpatterns = [
    path("threads/<int:thread_id>/", conversation.conversation, name="conversation"),
    path("threads/<int:thread_id>/messages/", conversation.send, name="send"),
    path("threads/<int:thread_id>/read/", conversation.read, name="read"),
    path("messages/<int:message_id>/retry/", conversation.retry, name="retry"),
    path("webhooks/<str:carrier>/<str:account_token>/", webhooks.webhook, name="webhook"),
    path(
        "webhooks/<str:carrier>/<str:account_token>/<str:attempt_token>/",
        webhooks.webhook,
        name="receipt",
    ),
]
