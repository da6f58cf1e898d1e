from django.urls import path

from messaging.simulator import carrier, views

app_name = "simulator"

urlpatterns = [
    path("", views.handset, name="handset"),
    path("received/", views.received, name="received"),
    path("send/", views.send, name="send"),
    path("files/<uuid:token>/", views.file, name="file"),
    path("far-end/", views.behave, name="behave"),
    path("carrier/messages/", carrier.take_text, name="carrier"),
]
