"""The addresses of company sign-in."""

from django.urls import path

from inboxes.company import views

urlpatterns = [
    path("sign-in/company/", views.start, name="company_sign_in"),
    path("sign-in/company/callback/", views.return_from_company, name="company_callback"),
    path("sign-out/", views.sign_out, name="account_logout"),
]
