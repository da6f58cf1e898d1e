from django.urls import path

from threads import views

app_name = "threads"
urlpatterns = [
    path("", views.messages, name="messages"),
    path("inboxes/<int:inbox_id>/", views.inbox, name="inbox"),
]
