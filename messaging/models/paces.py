from __future__ import annotations

from django.db import models


class Pace(models.Model):
    """How far the turns of one number are given away: what all workers share.

    Apart from the number, which the administration saves whole.
    """

    number = models.OneToOneField(
        "messaging.Number", primary_key=True, on_delete=models.CASCADE, related_name="pace"
    )
    free_at = models.DateTimeField(help_text="The next text may go from then on.")
    turn = models.BigIntegerField(default=0, db_default=0, help_text="Turns given so far.")

    def __str__(self) -> str:
        return f"Pace of number {self.number_id}"
