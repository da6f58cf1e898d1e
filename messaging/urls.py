from django.urls import path

from messaging.conversations.views import (
    attachments,
    contacts,
    conversation,
    drafts,
    mentions,
    messages,
    mute,
    options,
    scheduled,
    search,
    start,
)
from messaging.inbound import views as webhooks
from messaging.notifications import settings_views
from messaging.notifications import views as notifications

app_name = "messaging"
urlpatterns = [
    path("start/", start.start, name="start"),
    path("start/to/", start.to, name="start_to"),
    path("threads/<int:thread_id>/", conversation.conversation, name="conversation"),
    path("threads/<int:thread_id>/messages/", conversation.send, name="send"),
    path("threads/<int:thread_id>/draft/", drafts.draft, name="draft"),
    path("threads/<int:thread_id>/attachments/", attachments.drafted, name="attachments"),
    path("attachments/<int:attachment_id>/", attachments.attachment, name="attachment"),
    path("attachments/<int:attachment_id>/thumbnail/", attachments.thumbnail, name="thumbnail"),
    path("attachments/<int:attachment_id>/remove/", attachments.remove, name="remove_attachment"),
    path("attachments/<int:attachment_id>/fetch/", attachments.fetch, name="fetch_attachment"),
    path("media/<str:signed>/<str:name>", attachments.public, name="public_media"),
    path("threads/<int:thread_id>/mentions/", mentions.mentions, name="mentions"),
    path("threads/<int:thread_id>/composer/", conversation.composer, name="composer"),
    path("threads/<int:thread_id>/contact/", contacts.contact, name="contact"),
    path("threads/<int:thread_id>/read/", conversation.read, name="read"),
    path("later/<int:text_id>/", scheduled.change, name="scheduled"),
    path("later/<int:text_id>/send/", scheduled.send_now, name="send_scheduled"),
    path("later/<int:text_id>/delete/", scheduled.delete, name="delete_scheduled"),
    path("messages/<int:message_id>/text/", messages.whole, name="whole"),
    path("messages/<int:message_id>/retry/", conversation.retry, name="retry"),
    path("threads/<int:thread_id>/mute/", mute.mute, name="mute"),
    path("threads/<int:thread_id>/priority/", options.priority, name="priority"),
    path("threads/<int:thread_id>/unread/", options.unread, name="unread"),
    path("threads/<int:thread_id>/delete/", options.delete, name="delete"),
    path("threads/<int:thread_id>/restore/", options.restore, name="restore"),
    path("search/", search.search, name="search"),
    path("inboxes/<int:inbox_id>/search/", search.search, name="search_from"),
    path("notifications/", notifications.notifications, name="notifications"),
    path("notifications/read/", notifications.read_all, name="read_all"),
    path("notifications/<int:notification_id>/read/", notifications.read_one, name="read_one"),
    path("settings/", settings_views.settings, name="settings"),
    path("settings/test/", settings_views.test, name="test_notification"),
    path("settings/push/", settings_views.subscribe, name="subscribe"),
    path(
        "settings/push/<int:subscription_id>/remove/",
        settings_views.unsubscribe,
        name="unsubscribe",
    ),
    path("service-worker.js", settings_views.service_worker, name="service_worker"),
    path("webhooks/<slug:carrier>/<slug:account_token>/", webhooks.webhook, name="webhook"),
    path(
        "webhooks/<slug:carrier>/<slug:account_token>/<str:attempt_token>/",
        webhooks.webhook,
        name="receipt",
    ),
]
