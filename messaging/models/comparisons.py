from __future__ import annotations

from django.db import models


class Comparison(models.Model):
    """Hold up to when a number's texts were compared with its carrier's list.

    It is not a column of the number, since the administration saves all columns of that.
    """

    number = models.OneToOneField(
        "messaging.Number", primary_key=True, on_delete=models.CASCADE, related_name="comparison"
    )
    tried_at = models.DateTimeField()
    upto = models.DateTimeField(null=True, help_text="What came before is here.")
    found_count = models.PositiveIntegerField(
        default=0, help_text="Texts that no webhook had brought."
    )
    trouble = models.CharField(
        max_length=255, blank=True, default="", help_text="Why the last try told us nothing."
    )

    def __str__(self) -> str:
        return f"Comparison of number {self.number_id}"
