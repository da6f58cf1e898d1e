"""The addresses of the set-up."""

from django.urls import path

from messaging.setup.views import (
    administrator,
    carrier,
    colleagues,
    inbox,
    numbers,
    opening,
    second_step,
)

urlpatterns = [
    path("", opening.open_setup, name="setup"),
    path("administrator/", administrator.create_administrator, name="setup_administrator"),
    path("two-step/", second_step.set_up_app, name="setup_second_step"),
    path("two-step/codes/", second_step.show_codes, name="setup_codes"),
    path("carrier/", carrier.choose_carrier, name="setup_carrier"),
    path("carrier/<slug:carrier>/", carrier.connect_carrier, name="setup_credentials"),
    path("simulator/", carrier.try_without_carrier, name="setup_simulator"),
    path("numbers/", numbers.choose_numbers, name="setup_numbers"),
    path("numbers/look/", numbers.look_again, name="setup_look_again"),
    path("numbers/by-hand/", numbers.enter_number, name="setup_by_hand"),
    path("inbox/", inbox.name_inboxes, name="setup_inbox"),
    path("colleagues/", colleagues.invite_colleagues, name="setup_colleagues"),
    path(
        "colleagues/<int:link_id>/take-back/",
        colleagues.take_back_invitation,
        name="setup_take_back",
    ),
    path("done/", colleagues.show_end, name="setup_done"),
]
