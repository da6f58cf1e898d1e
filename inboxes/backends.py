"""An administrator is a staff user: no further permissions to hand out one by one."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend

from inboxes.models import Agent

APPS = {"inboxes", "messaging"}


class StaffBackend(BaseBackend):
    """Active staff may do in Django admin whatever the pages of our own apps offer."""

    def has_perm(self, user_obj: Any, perm: str, obj: object = None) -> bool:
        return self.has_module_perms(user_obj, perm.partition(".")[0])

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        is_staff = isinstance(user_obj, Agent) and user_obj.is_active and user_obj.is_staff
        return is_staff and app_label in APPS
