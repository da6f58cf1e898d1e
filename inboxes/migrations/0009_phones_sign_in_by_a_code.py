"""Sign-ins of phones by a QR code, and when each password was changed: unknown for those there are."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("inboxes", "0008_words_of_the_administration"),
    ]

    operations = [
        migrations.AddField(
            model_name="agent",
            name="password_changed_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.CreateModel(
            name="PhoneSignIn",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "session_key",
                    models.CharField(
                        help_text="Of the session that shows the code.", max_length=40, unique=True
                    ),
                ),
                ("token_hash", models.CharField(max_length=64, unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("offered", "Waiting for the phone"),
                            ("claimed", "Waiting for the person to compare"),
                            ("confirmed", "Waiting for the phone to come in"),
                            ("used", "The phone is signed in"),
                        ],
                        default="offered",
                        max_length=9,
                    ),
                ),
                ("expires_at", models.DateTimeField()),
                (
                    "words",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Shown on both screens, to be compared.",
                        max_length=20,
                    ),
                ),
                ("phone_hash", models.CharField(blank=True, default="", max_length=64)),
                ("phone_user_agent", models.CharField(blank=True, default="", max_length=200)),
                ("phone_address", models.CharField(blank=True, default="", max_length=45)),
                (
                    "agent",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="phone_sign_ins",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "sign-in of a phone",
                "verbose_name_plural": "sign-ins of phones",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state", "offered"),
                            models.Q(("phone_hash", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="only_a_phone_that_opened_the_code_is_signed_in",
                    )
                ],
            },
        ),
    ]
