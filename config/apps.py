from django.apps import AppConfig
from django.contrib.admin import apps as admin


class ConfigConfig(AppConfig):
    name = "config"
    verbose_name = "Partyline"
    default = True


class PartylineAdminConfig(admin.AdminConfig):
    default = False
    default_site = "config.admin_site.PartylineAdminSite"
