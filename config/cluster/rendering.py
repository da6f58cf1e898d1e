"""The files of deploy/ with this machine's folders and ports in place of a server's."""

from __future__ import annotations

import os
import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DEPLOY = ROOT / "deploy"

_NGINX = """\
daemon off;
{user}pid "{data}/nginx/pid";
error_log stderr crit;
worker_processes 2;
events {{ worker_connections 2048; }}
http {{
    include /etc/nginx/mime.types;
    client_body_temp_path "{data}/nginx/bodies";
    proxy_temp_path "{data}/nginx/answers";
    fastcgi_temp_path "{data}/nginx/unused";
    scgi_temp_path "{data}/nginx/unused";
    uwsgi_temp_path "{data}/nginx/unused";
    include "{data}/nginx/site.conf";
}}
"""
"""What Debian's own nginx.conf says around a site, here in the data folder."""


@dataclass(frozen=True)
class Plan:
    """What is to run, and where. nginx has `port`; the others the ports after it."""

    data: Path
    port: int = 8000
    is_tls: bool = False
    webs: int = 2
    workers: int = 2
    public_url: str = ""
    """The address by which people come, where it is not nginx's own."""
    keeps_limits: bool = False
    """Whether nginx counts by address, as on a server. Here all callers have the same one."""

    @property
    def url(self) -> str:
        return f"{'https' if self.is_tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def web_ports(self) -> list[int]:
        return [self.port + 1 + number for number in range(self.webs)]

    @property
    def redis_port(self) -> int:
        return self.port + 1 + self.webs

    @property
    def database_port(self) -> int:
        return self.redis_port + 1

    @property
    def ports(self) -> list[int]:
        return [self.port, *self.web_ports, self.redis_port, self.database_port]

    def placed(self, text: str) -> str:
        """With our folders and programs."""
        for theirs, ours in [
            ("/opt/partyline/.venv/bin/python", sys.executable),
            ("/opt/partyline", str(ROOT)),
            ("/var/lib/partyline", str(self.data)),
            ("/etc/letsencrypt/live/texts.example.com", f"{self.data}/nginx"),
            ("/var/log/nginx", f"{self.data}/logs"),
        ]:
            text = text.replace(theirs, ours)
        return text

    def command(self, unit: str, instance: str) -> list[str]:
        """What systemd would start for the unit's instance."""
        text = (DEPLOY / "systemd" / f"{unit}@.service").read_text().replace("\\\n", " ")
        line = next(line for line in text.splitlines() if line.startswith("ExecStart="))
        return [
            self.placed(part.replace("%i", instance))
            for part in shlex.split(line.removeprefix("ExecStart="))
        ]

    def environment(self, database_password: str) -> dict[str, str]:
        """The example's settings, changed where this machine differs."""
        lines = (DEPLOY / "partyline.env").read_text().splitlines()
        given = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
        return given | {
            "PUBLIC_URL": self.public_url or self.url,
            "PARTYLINE_DATA": str(self.data),
            "DATABASE_URL": given["DATABASE_URL"]
            .replace("change-me", database_password)
            .replace("5432", str(self.database_port)),
            "REDIS_URL": given["REDIS_URL"].replace("6379", str(self.redis_port)),
        }

    def site(self) -> str:
        text = self.placed((DEPLOY / "nginx" / "partyline.conf").read_text())
        servers = "".join(f"    server 127.0.0.1:{port} max_fails=0;\n" for port in self.web_ports)
        text = re.sub(r"(    server 127\.0\.0\.1:.*\n)+", servers, text)
        text = re.sub(r"    listen \[::\].*\n", "", text)
        text = text.replace("listen 443", f"listen 127.0.0.1:{self.port}")
        if not self.is_tls:
            text = re.sub(r"    ssl_.*\n", "", text.replace(" ssl http2", ""))
        if not self.keeps_limits:
            text = re.sub(r"rate=\d+r/s", "rate=10000r/s", text)
            text = re.sub(r"(limit_conn +\w+) \d+;", r"\1 10000;", text)
        return text.replace("texts.example.com", "127.0.0.1")

    def write_nginx(self, certificate: tuple[bytes, bytes] | None) -> Path:
        """nginx's files, in the data folder; the main one's path."""
        folder = self.data / "nginx"
        folder.mkdir(exist_ok=True)
        (folder / "site.conf").write_text(self.site())
        user = "user www-data;\n" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(_NGINX.format(user=user, data=self.data))
        if certificate is not None:
            (folder / "fullchain.pem").write_bytes(certificate[0])
            (folder / "privkey.pem").write_bytes(certificate[1])
            (folder / "privkey.pem").chmod(0o600)
        return folder / "nginx.conf"
