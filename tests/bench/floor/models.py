from django.db import models


class Row(models.Model):
    """Hold the body of one request. The bench makes the table in its own database."""

    body = models.BinaryField()

    class Meta:
        app_label = "floor"
        managed = False

    def __str__(self) -> str:
        return f"Row {self.pk}"
