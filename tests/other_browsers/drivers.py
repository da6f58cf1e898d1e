"""Start Debian's Firefox and WebKit, each on a display of its own, for a driver."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.other_browsers.webdriver import (
    Driver,
    HttpConnection,
    MarionetteConnection,
    WebDriverError,
)
from tests.stack import free_port

START_SECONDS = 60.0
PREFERENCES = {
    "marionette.port": "0",  # any free one, which it writes into its profile
    "intl.accept_languages": '"en-US"',
    "intl.locale.requested": '"en-US"',
    "browser.shell.checkDefaultBrowser": "false",
    "datareporting.policy.dataSubmissionEnabled": "false",
    "app.update.disabledForTesting": "true",
    "browser.startup.homepage_override.mstone": '"ignore"',
    "network.captive-portal-service.enabled": "false",
    "network.connectivity-service.enabled": "false",
    "browser.safebrowsing.malware.enabled": "false",
    "services.settings.server": '"http://127.0.0.1:9/"',
}


class NotInstalled(RuntimeError):
    """Raised with the line that installs what is missing."""


def _find(program: str, package: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise NotInstalled(f"{program} is missing: apt-get install {package}")
    return path


def mini_browser() -> str:
    """Return the path of WebKit's own small browser."""
    found = sorted(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"))
    if not found:
        raise NotInstalled("MiniBrowser is missing: apt-get install webkit2gtk-driver")
    return str(found[-1])


@contextmanager
def _ended_at_last(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)


@contextmanager
def display() -> Iterator[dict[str, str]]:
    """Run a display without a screen, and yield the environment of programs that use it."""
    xvfb = _find("Xvfb", "xvfb")
    reading, writing = os.pipe()
    command = [
        xvfb,
        "-displayfd",
        str(writing),
        "-screen",
        "0",
        "1440x1000x24",
        "-nolisten",
        "tcp",
    ]
    process = subprocess.Popen(
        command, pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    os.close(writing)
    with _ended_at_last(process), os.fdopen(reading) as said:
        number = said.readline().strip()
        yield {**os.environ, "DISPLAY": f":{number}", "TZ": "America/New_York"}


@contextmanager
def firefox() -> Iterator[Driver]:
    program = _find("firefox-esr", "firefox-esr")
    with ExitStack() as stack:
        environment = stack.enter_context(display())
        folder = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="partyline-firefox-", ignore_cleanup_errors=True)
        )
        profile = Path(folder)
        lines = [f'user_pref("{name}", {value});' for name, value in PREFERENCES.items()]
        (profile / "user.js").write_text("\n".join(lines) + "\n")
        process = subprocess.Popen(
            [program, "--marionette", "--no-remote", "--profile", folder, "about:blank"],
            env={**environment, "HOME": folder},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        stack.enter_context(_ended_at_last(process))
        connection = MarionetteConnection(_marionette_port(profile, process))
        stack.callback(connection.close)
        yield Driver(connection)


def _marionette_port(profile: Path, process: subprocess.Popen[bytes]) -> int:
    file, end = profile / "MarionetteActivePort", time.monotonic() + START_SECONDS
    while not (file.exists() and file.read_text().strip()):
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError("Firefox did not start.")
        time.sleep(0.1)
    return int(file.read_text())


@contextmanager
def webkit() -> Iterator[Driver]:
    program, browser = _find("WebKitWebDriver", "webkit2gtk-driver"), mini_browser()
    options = {"binary": browser, "args": ["--automation"]}
    with ExitStack() as stack:
        environment = stack.enter_context(display())
        environment |= {"LANG": "en_US.UTF-8", "LANGUAGE": "en_US", "NO_AT_BRIDGE": "1"}
        port = free_port()
        process = subprocess.Popen(
            [program, f"--port={port}"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        stack.enter_context(_ended_at_last(process))
        connection = _connect(port, {"webkitgtk:browserOptions": options})
        stack.callback(connection.close)
        yield Driver(connection)


def _connect(port: int, capabilities: dict[str, Any]) -> HttpConnection:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            return HttpConnection(port, capabilities)
        except (httpx.ConnectError, WebDriverError):
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


DRIVERS = {"firefox": firefox, "webkit": webkit}
