"""Permissions of administrators: staff members may use all of Django admin."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend

from inboxes.models import Agent

APPS = {"inboxes", "messaging"}


class StaffBackend(BaseBackend):
    """Give active staff members every permission for the models of our own apps."""

    def has_perm(self, user_obj: Any, perm: str, obj: object = None) -> bool:
        return self.has_module_perms(user_obj, perm.partition(".")[0])

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        is_staff = isinstance(user_obj, Agent) and user_obj.is_active and user_obj.is_staff
        return is_staff and app_label in APPS
