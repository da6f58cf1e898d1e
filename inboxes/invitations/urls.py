from django.urls import path

from inboxes.invitations import views

app_name = "invitations"
urlpatterns = [
    path("invitation/<str:token>/", views.open_link, name="open"),
    path("password-reset/", views.ask_for_link, name="lost_password"),
]
