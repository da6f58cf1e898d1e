"""An e-mail server for tests: a process of its own that speaks SMTP (aiosmtpd).

    python tests/mail_server.py FILE [--certificate FILE] [--user USER:PASSWORD]

prints "listening on PORT" when it is ready, and writes a line of JSON for each e-mail.
Recipients called `refused` and `later` get 550 and 451. With a certificate it offers STARTTLS, and
takes passwords after it alone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import ssl
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

ANSWERS = {"refused": "550 5.1.1 No such mailbox", "later": "451 4.3.0 Try again later"}


class Mailbox:
    """Takes e-mails, and writes them down before it answers."""

    def __init__(self, path: Path) -> None:
        self.path = path

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        answer = ANSWERS.get(address.partition("@")[0])
        if answer is None:
            envelope.rcpt_tos.append(address)
        return answer or "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        line = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "content": content.decode() if isinstance(content, bytes) else content,
            "encrypted": session.ssl is not None,
            "signed_in": bool(session.authenticated),
        }
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")
        return "250 OK"


async def serve(arguments: argparse.Namespace) -> None:
    context = None
    if arguments.certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(arguments.certificate)

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> Any:
        assert isinstance(data, LoginPassword)
        given = f"{data.login.decode()}:{data.password.decode()}"
        return AuthResult(success=given == arguments.user, handled=False)

    def build() -> SMTP:
        return SMTP(
            Mailbox(Path(arguments.file)),
            hostname="mail.example.com",
            tls_context=context,
            authenticator=authenticate if arguments.user else None,
            auth_required=bool(arguments.user),
            auth_require_tls=context is not None,
        )

    server = await asyncio.get_running_loop().create_server(build, "127.0.0.1", arguments.port)
    print(f"listening on {server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--certificate")
    parser.add_argument("--user")
    parser.add_argument("--port", type=int, default=0)
    asyncio.run(serve(parser.parse_args()))
