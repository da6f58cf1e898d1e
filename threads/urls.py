from django.urls import path

from messaging.conversations.views import lists

app_name = "threads"
urlpatterns = [
    path("", lists.messages, name="messages"),
    path("inboxes/<int:inbox_id>/", lists.inbox, name="inbox"),
]
