from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    # Texts keep coming in while the rows are read.
    atomic = False

    dependencies = [("messaging", "0015_failures_are_seen")]

    operations = [
        AddConstraintNotValid(
            "message",
            models.CheckConstraint(
                condition=Q(unseen_failure="")
                | Q(kind="outbound", unseen_failure__in=["failed", "unknown"]),
                name="only_outbound_messages_have_an_unseen_failure",
            ),
        ),
        ValidateConstraint("message", "only_outbound_messages_have_an_unseen_failure"),
    ]
