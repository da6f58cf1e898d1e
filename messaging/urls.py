from django.urls import path

from messaging.views import (
    conversation,
    drafts,
    mentions,
    mute,
    notifications,
    settings,
    webhooks,
)

app_name = "messaging"
urlpatterns = [
    path("threads/<int:thread_id>/", conversation.conversation, name="conversation"),
    path("threads/<int:thread_id>/messages/", conversation.send, name="send"),
    path("threads/<int:thread_id>/draft/", drafts.draft, name="draft"),
    path("threads/<int:thread_id>/mentions/", mentions.mentions, name="mentions"),
    path("threads/<int:thread_id>/read/", conversation.read, name="read"),
    path("messages/<int:message_id>/retry/", conversation.retry, name="retry"),
    path("threads/<int:thread_id>/mute/", mute.mute, name="mute"),
    path("notifications/", notifications.notifications, name="notifications"),
    path("notifications/read/", notifications.read_all, name="read_all"),
    path("notifications/<int:notification_id>/read/", notifications.read_one, name="read_one"),
    path("settings/", settings.settings, name="settings"),
    path("settings/test/", settings.test, name="test_notification"),
    path("settings/push/", settings.subscribe, name="subscribe"),
    path("settings/push/<int:subscription_id>/remove/", settings.unsubscribe, name="unsubscribe"),
    path("service-worker.js", settings.service_worker, name="service_worker"),
    path("webhooks/<str:carrier>/<str:account_token>/", webhooks.webhook, name="webhook"),
    path(
        "webhooks/<str:carrier>/<str:account_token>/<str:attempt_token>/",
        webhooks.webhook,
        name="receipt",
    ),
]
