"""Serve the provider until it is ended."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIServer, make_server

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


def write_key(file: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


def fill_database() -> None:
    from django.contrib.auth.models import User
    from django.core.management import call_command

    from tests.openid_provider.people import PASSWORD, PEOPLE

    call_command("migrate", verbosity=0)
    for person in PEOPLE.values():
        User.objects.create_user(person.username, person.email, PASSWORD)


def register_client(port: int, origins: list[str]) -> None:
    """Register Partyline at each of the origins, as an administrator of the company does."""
    from oauth2_provider.models import Application

    from tests.openid_provider.people import CLIENT_ID, CLIENT_SECRET

    Application.objects.create(
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
        redirect_uris=" ".join(f"{origin}/sign-in/company/callback/" for origin in origins),
        post_logout_redirect_uris=" ".join(f"{origin}/sign-in/" for origin in origins),
        skip_authorization=True,
        algorithm=Application.RS256_ALGORITHM,
        name="Partyline",
    )


def main() -> None:
    folder, origins = Path(sys.argv[1]), sys.argv[2:]
    write_key(folder / "key.pem")
    os.environ["OPENID_PROVIDER_FOLDER"] = str(folder)
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.openid_provider.settings"
    import django

    django.setup()
    from django.core.wsgi import get_wsgi_application

    fill_database()
    with make_server("127.0.0.1", 0, get_wsgi_application(), Server) as server:
        register_client(server.server_port, origins)
        print(f"listening on {server.server_port}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
