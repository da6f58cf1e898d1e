"""The addresses of signing in, under the names that allauth gives them."""

from django.urls import path

from inboxes.sign_in import views

urlpatterns = [
    path("sign-in/", views.SignInView.as_view(), name="account_login"),
    path("sign-in/code/", views.CodeView.as_view(), name="mfa_authenticate"),
    path("sign-in/passkey/", views.PasskeySignInView.as_view(), name="mfa_login_webauthn"),
    path("sign-in/confirm/", views.ConfirmPasswordView.as_view(), name="account_reauthenticate"),
    path("sign-in/confirm/code/", views.ConfirmCodeView.as_view(), name="mfa_reauthenticate"),
    path(
        "sign-in/confirm/passkey/",
        views.ConfirmPasskeyView.as_view(),
        name="mfa_reauthenticate_webauthn",
    ),
]
