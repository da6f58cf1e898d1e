"""The addresses of *Your account*. What allauth names bears its names, by which it leads there."""

from django.urls import path
from django.views.generic import RedirectView

from messaging.your_account import two_step
from messaging.your_account.password import change_own_password

_TO_SECTION = RedirectView.as_view(pattern_name="messaging:account")

urlpatterns = [
    path("account/password/", change_own_password, name="account_change_password"),
    path("account/two-step/", two_step.choose_second_step, name="mfa_index"),
    path("account/two-step/app/", two_step.SetUpApp.as_view(), name="mfa_activate_totp"),
    path("account/two-step/app/remove/", two_step.RemoveApp.as_view(), name="mfa_deactivate_totp"),
    path("account/two-step/codes/", two_step.ShowCodes.as_view(), name="mfa_view_recovery_codes"),
    path(
        "account/two-step/codes/new/",
        two_step.MakeCodes.as_view(),
        name="mfa_generate_recovery_codes",
    ),
    path("account/passkeys/", _TO_SECTION, name="mfa_list_webauthn"),
    path("account/passkeys/add/", two_step.AddPasskey.as_view(), name="mfa_add_webauthn"),
    path("account/passkeys/<int:pk>/", two_step.RenamePasskey.as_view(), name="mfa_edit_webauthn"),
    path(
        "account/passkeys/<int:pk>/remove/",
        two_step.RemovePasskey.as_view(),
        name="mfa_remove_webauthn",
    ),
    path("account/sessions/", _TO_SECTION, name="usersessions_list"),
]
