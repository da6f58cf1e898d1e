from __future__ import annotations

from typing import ClassVar

from django.db import models


class UsedNonce(models.Model):
    """Hold a nonce that a carrier signed, and the digest of the body that came with it.

    For signatures that do not cover the body. It is kept as long as the secret may be in use: if
    it were forgotten, another body could be sent with it.
    """

    account = models.ForeignKey(
        "messaging.CarrierAccount", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    nonce = models.CharField(max_length=128)
    digest = models.CharField(max_length=64, help_text="SHA-256 of the body.")
    used_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "nonce"], name="nonce_is_used_once_in_an_account"
            ),
        ]

    def __str__(self) -> str:
        return f"Nonce {self.pk}"
