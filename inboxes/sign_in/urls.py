"""The addresses of signing in, under the names that allauth gives them."""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from allauth.usersessions import views as sessions
from django.urls import path

from inboxes.sign_in import views

urlpatterns = [
    path("sign-in/", views.SignInView.as_view(), name="account_login"),
    path("sign-in/code/", views.CodeView.as_view(), name="mfa_authenticate"),
    path("sign-in/passkey/", views.PasskeySignInView.as_view(), name="mfa_login_webauthn"),
    path("sign-in/confirm/", account.reauthenticate, name="account_reauthenticate"),
    path("sign-in/confirm/code/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path(
        "sign-in/confirm/passkey/",
        views.ConfirmPasskeyView.as_view(),
        name="mfa_reauthenticate_webauthn",
    ),
    # What Your account consists of
    path("account/password/", account.password_change, name="account_change_password"),
    path("account/two-step/", mfa.index, name="mfa_index"),
    path("account/two-step/app/", totp.activate_totp, name="mfa_activate_totp"),
    path("account/two-step/app/remove/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path(
        "account/two-step/codes/",
        recovery_codes.view_recovery_codes,
        name="mfa_view_recovery_codes",
    ),
    path(
        "account/two-step/codes/new/",
        recovery_codes.generate_recovery_codes,
        name="mfa_generate_recovery_codes",
    ),
    path(
        "account/two-step/codes/file/",
        recovery_codes.download_recovery_codes,
        name="mfa_download_recovery_codes",
    ),
    path("account/passkeys/", passkeys.list_webauthn, name="mfa_list_webauthn"),
    path("account/passkeys/add/", passkeys.add_webauthn, name="mfa_add_webauthn"),
    path("account/passkeys/<int:pk>/", passkeys.edit_webauthn, name="mfa_edit_webauthn"),
    path(
        "account/passkeys/<int:pk>/remove/", passkeys.remove_webauthn, name="mfa_remove_webauthn"
    ),
    path("account/sessions/", sessions.list_usersessions, name="usersessions_list"),
]
