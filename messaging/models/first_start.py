from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models


class FirstStart(models.Model):
    """The one row that says whether the installation was set up, and with which key it can be.

    The key itself is stored encrypted while it is of use, so that every process prints the same
    one. Its hash stays: whoever comes late with the right key is told that it is set up.
    """

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    encrypted_key = models.TextField(blank=True, default="", editable=False)
    key_hash = models.CharField(max_length=64, editable=False, help_text="SHA-256, in hex.")
    made_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(
        null=True, editable=False, help_text="When there was an administrator. It stays so."
    )
    administrator = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="The first one.",
    )

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(id=1), name="there_is_one_first_start"),
            models.CheckConstraint(
                condition=models.Q(ended_at=None) | models.Q(encrypted_key=""),
                name="no_key_is_kept_after_the_first_start",
            ),
        ]

    def __str__(self) -> str:
        return "First start"
