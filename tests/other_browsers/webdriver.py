"""Drive a browser by WebDriver (https://www.w3.org/TR/webdriver2/).

WebKit's driver speaks it over HTTP. Firefox speaks the same commands itself over TCP, which is
called Marionette (https://firefox-source-docs.mozilla.org/testing/marionette/): geckodriver, which
Debian does not have, only translates between the two. Selenium would bring a dozen packages for
what is a table here.
"""

from __future__ import annotations

import base64
import itertools
import json
import socket
from pathlib import Path
from typing import Any, Protocol

import httpx

TIMEOUT = 120.0  # Seconds for one command
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # The key by which WebDriver marks an element

# The method and the path of each command over HTTP; Marionette knows the same names.
COMMANDS = {
    "AddCookie": ("POST", "/cookie"),
    "CloseWindow": ("DELETE", "/window"),
    "DeleteAllCookies": ("DELETE", "/cookie"),
    "ElementClick": ("POST", "/element/{id}/click"),
    "ElementSendKeys": ("POST", "/element/{id}/value"),
    "ExecuteAsyncScript": ("POST", "/execute/async"),
    "ExecuteScript": ("POST", "/execute/sync"),
    "GetCurrentURL": ("GET", "/url"),
    "GetTitle": ("GET", "/title"),
    "GetWindowHandle": ("GET", "/window"),
    "Navigate": ("POST", "/url"),
    "Refresh": ("POST", "/refresh"),
    "NewWindow": ("POST", "/window/new"),
    "PerformActions": ("POST", "/actions"),
    "SetWindowRect": ("POST", "/window/rect"),
    "SwitchToWindow": ("POST", "/window"),
    "TakeScreenshot": ("GET", "/screenshot"),
}


class WebDriverError(Exception):
    """Raised for a command that failed. `kind` is WebDriver's word for the reason."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind


class Connection(Protocol):
    def call(self, command: str, params: dict[str, Any]) -> Any:
        """Carry out a command of COMMANDS and return its result. Raises WebDriverError."""


class HttpConnection:
    """Speak to a driver that listens on a port of this machine."""

    def __init__(self, port: int, capabilities: dict[str, Any]) -> None:
        self._client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}", timeout=TIMEOUT, trust_env=False
        )
        asked = {"capabilities": {"alwaysMatch": capabilities}}
        self._session = f"/session/{self._request('POST', '/session', asked)['sessionId']}"

    def call(self, command: str, params: dict[str, Any]) -> Any:
        method, path = COMMANDS[command]
        return self._request(method, self._session + path.format(**params), params)

    def close(self) -> None:
        self._request("DELETE", self._session, {})
        self._client.close()

    def _request(self, method: str, path: str, params: dict[str, Any]) -> Any:
        answer = self._client.request(method, path, json=params if method == "POST" else None)
        value = answer.json()["value"]
        if answer.is_error:
            raise WebDriverError(value["error"], value["message"])
        return value


class MarionetteConnection:
    """Speak to Firefox: JSON, each message after its length."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), TIMEOUT)
        self._numbers = itertools.count()
        self._receive()  # what Firefox says of itself
        self.call("NewSession", {})

    def call(self, command: str, params: dict[str, Any]) -> Any:
        self._send([0, next(self._numbers), f"WebDriver:{command}", params])
        _, _, error, result = self._receive()
        if error:
            raise WebDriverError(error["error"], error["message"])
        is_value = isinstance(result, dict) and result.keys() == {"value"}
        return result["value"] if is_value else result

    def close(self) -> None:
        self._socket.close()

    def _send(self, message: list[Any]) -> None:
        data = json.dumps(message).encode()
        self._socket.sendall(b"%d:%b" % (len(data), data))

    def _receive(self) -> Any:
        length = b""
        while not length.endswith(b":"):
            length += self._read(1)
        return json.loads(self._read(int(length[:-1])))

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = self._socket.recv(count - len(data))
            if not part:
                raise ConnectionError("Firefox has closed the connection.")
            data += part
        return data


class Driver:
    """Hold a running browser. Elements are the references that its scripts return."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def call(self, command: str, **params: Any) -> Any:
        return self._connection.call(command, params)

    def open(self, url: str) -> None:
        self.call("Navigate", url=url)

    def run(self, script: str, *values: Any) -> Any:
        """Run a script in the page and return what it returns."""
        return self.call("ExecuteScript", script=script, args=list(values))

    def pause(self, milliseconds: int) -> None:
        """Let the page live for a while."""
        script = "setTimeout(arguments[1], arguments[0])"
        self.call("ExecuteAsyncScript", script=script, args=[milliseconds])

    def click(self, element: dict[str, str]) -> None:
        self.call("ElementClick", id=element[ELEMENT])

    def type_text(self, text: str) -> None:
        """Press and release the key of each character; what has the focus gets them."""
        strokes = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        keyboard = {"type": "key", "id": "keyboard", "actions": strokes}
        self.call("PerformActions", actions=[keyboard])

    def resize(self, width: int, height: int) -> None:
        self.call("SetWindowRect", x=0, y=0, width=width, height=height)

    def save_picture(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.call("TakeScreenshot", full=False)))


class Keys:
    """Name the keys that are no characters, by WebDriver's code points."""

    BACKSPACE = "\ue003"
    TAB = "\ue004"
    ENTER = "\ue007"
    ESCAPE = "\ue00c"
