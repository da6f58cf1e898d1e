"""Drive the provider from a test: as a person at its pages, or as whoever runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx

from tests.openid_provider.people import CLIENT_ID, CLIENT_SECRET, PASSWORD


class Company:
    """A running provider. `url` is its issuer."""

    def __init__(self, folder: Path, origins: list[str]) -> None:
        self.folder = folder
        command = [sys.executable, "-m", "tests.openid_provider", str(folder), *origins]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), "the provider did not start"
        self.url = f"http://127.0.0.1:{int(line.split()[-1])}"

    @property
    def settings(self) -> dict[str, str]:
        """Return the variables that connect Partyline with it."""
        return {
            "OIDC_ISSUER": self.url,
            "OIDC_CLIENT_ID": CLIENT_ID,
            "OIDC_CLIENT_SECRET": CLIENT_SECRET,
            "OIDC_NAME": "Example Ltd",
        }

    def claim(self, file: str = "claims.json", **claims: Any) -> None:
        """Have it claim this from now on; nothing brings the truth back."""
        (self.folder / file).write_text(json.dumps(claims))

    def tell_the_truth(self) -> None:
        for name in ("claims.json", "userinfo.json"):
            (self.folder / name).unlink(missing_ok=True)

    def sign_in(self, address: str, username: str) -> str:
        """Go to the address where Partyline leads, sign in there, and return where it leads
        back."""
        with httpx.Client(follow_redirects=False, trust_env=False) as browser:
            answer = browser.get(address)
            login = urljoin(self.url, answer.headers["location"])
            browser.get(login)
            token = browser.cookies["csrftoken"]
            form = {"username": username, "password": PASSWORD, "csrfmiddlewaretoken": token}
            answer = browser.post(login, data=form)
            answer = browser.get(urljoin(self.url, answer.headers["location"]))
            return str(answer.headers["location"])

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        if self.process.stdout is not None:
            self.process.stdout.close()


@contextmanager
def running_company(folder: Path, *origins: str) -> Iterator[Company]:
    """Serve a provider that knows Partyline at these origins."""
    company = Company(folder, list(origins))
    try:
        yield company
    finally:
        company.stop()
