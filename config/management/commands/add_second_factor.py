"""Give an administrator a second factor; the first one can only come from the shell."""

import sys
from typing import Any

import segno
from django.contrib.auth import get_user_model
from django.core.management import BaseCommand, CommandError, CommandParser
from django_otp.plugins.otp_totp.models import TOTPDevice


class Command(BaseCommand):
    help = "Give an administrator a new authenticator key, shown once as an address and a QR code."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        people = get_user_model().objects.filter(username=options["username"])
        person = people.first()
        if person is None:
            raise CommandError(f"There's no agent named {options['username']}.")
        TOTPDevice.objects.filter(user=person).delete()
        device = TOTPDevice.objects.create(user=person, name="authenticator", confirmed=True)
        self.stdout.write(device.config_url)
        segno.make(device.config_url).terminal(out=sys.stdout, compact=True)
