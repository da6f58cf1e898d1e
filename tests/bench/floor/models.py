from django.db import models


class Line(models.Model):
    """One row for each request. Its table is made by the bench, in the bench's own database."""

    body = models.BinaryField()

    class Meta:
        app_label = "floor"
        managed = False

    def __str__(self) -> str:
        return f"Line {self.pk}"
