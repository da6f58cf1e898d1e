from __future__ import annotations

from django.db import models


class Pace(models.Model):
    """Hold up to when a number's turns are given away, for all workers.

    It is not a column of the number, since the administration saves all columns of that.
    """

    number = models.OneToOneField(
        "messaging.Number", primary_key=True, on_delete=models.CASCADE, related_name="pace"
    )
    free_at = models.DateTimeField(help_text="The next text may go from then on.")
    turn = models.BigIntegerField(default=0, db_default=0, help_text="Turns given so far.")

    def __str__(self) -> str:
        return f"Pace of number {self.number_id}"
