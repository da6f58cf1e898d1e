"""Print nginx's configuration of the site, for this installation's address and data folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.template import Context, Engine

TEMPLATE = settings.BASE_DIR / "deploy" / "nginx" / "partyline.conf.template"

# Requests per second from one address, and open sockets.
RATES = {"sign_in": 1, "admin": 10, "live": 20, "webhooks": 200, "health": 5}
SOCKETS = settings.SOCKETS_PER_ADDRESS
UNLIMITED = 10_000


def render_site(
    *,
    host: str,
    web_ports: list[int],
    static: Path,
    logs: Path,
    addresses: list[str],
    certificates: Path | None,
    has_limits: bool = True,
) -> str:
    """Return the text of the site's file.

    `certificates` is a folder with `fullchain.pem` and `privkey.pem`; None means plain http.
    Without limits nginx counts no requests, as on a machine where all callers share an address.
    """
    values = {
        "host": host,
        "web_ports": web_ports,
        "static": static,
        "logs": logs,
        "addresses": addresses,
        "certificates": certificates,
        "is_tls": certificates is not None,
        "rates": RATES if has_limits else dict.fromkeys(RATES, UNLIMITED),
        "sockets": SOCKETS if has_limits else UNLIMITED,
    }
    template = Engine(autoescape=False).from_string(TEMPLATE.read_text())
    return template.render(Context(values, autoescape=False, use_l10n=False))


class Command(BaseCommand):
    help = __doc__
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--web-ports", nargs="+", type=int, default=[8001, 8002])
        parser.add_argument("--listen", nargs="+", default=["443", "[::]:443"])
        parser.add_argument("--logs", type=Path, default=Path("/var/log/nginx"))
        parser.add_argument("--certificates", type=Path, help="/etc/letsencrypt/live/HOST")
        parser.add_argument("--no-tls", action="store_true")
        parser.add_argument("--no-limits", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        host = urlsplit(settings.PUBLIC_URL).hostname or "_"
        certificates = options["certificates"] or Path("/etc/letsencrypt/live") / host
        site = render_site(
            host=host,
            web_ports=options["web_ports"],
            static=Path(settings.STATIC_ROOT),
            logs=options["logs"],
            addresses=options["listen"],
            certificates=None if options["no_tls"] else certificates,
            has_limits=not options["no_limits"],
        )
        self.stdout.write(site, ending="")
