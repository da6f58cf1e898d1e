"""Serve a far end as a process of its own, over real connections.

    python -m tests.messaging.carriers.number_far_ends.serve NAME    prints "listening on PORT"

Control (JSON): POST /control/add (what `add` takes), /control/fail (what `fail` takes),
/control/elsewhere {"address", "url"}; GET /control/url?address=… answers {"url"}.
"""

from __future__ import annotations

import os
import signal
import socket
import struct
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.messaging.carriers.number_far_ends.bandwidth import BandwidthNumbers
from tests.messaging.carriers.number_far_ends.base import Answer, NumberFarEnd, Request
from tests.messaging.carriers.number_far_ends.plivo import PlivoNumbers
from tests.messaging.carriers.number_far_ends.signalwire import SignalWireNumbers
from tests.messaging.carriers.number_far_ends.telnyx import TelnyxNumbers
from tests.messaging.carriers.number_far_ends.twilio import TwilioNumbers
from tests.messaging.carriers.number_far_ends.vonage import VonageNumbers

FAR_ENDS: dict[str, type[NumberFarEnd]] = {
    "bandwidth": BandwidthNumbers,
    "plivo": PlivoNumbers,
    "signalwire": SignalWireNumbers,
    "telnyx": TelnyxNumbers,
    "twilio": TwilioNumbers,
    "vonage": VonageNumbers,
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    numbers: NumberFarEnd

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Log nothing."""

    def serve(self, body: bytes | None = None) -> None:
        if body is None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
        request = Request.read(self.command, self.path, dict(self.headers), body)
        if request.path.startswith("/control/"):
            self.send_answer(self.control(request))
            return
        failure = self.numbers.take_failure(request)
        if failure is None:
            self.send_answer(self.numbers.answer(request))
        elif failure.kind == "status":
            self.send_answer(self.numbers.refuse(failure.status, failure.headers))
        elif failure.kind == "silence":
            time.sleep(30)
        else:
            if failure.kind == "reset":
                self.numbers.answer(request)
            self.reset()

    def do_GET(self) -> None:
        self.serve()

    def do_POST(self) -> None:
        self.serve()

    def do_PUT(self) -> None:
        self.serve()

    def do_PATCH(self) -> None:
        self.serve()

    def control(self, request: Request) -> Answer:
        match request.path.replace("/numbers/", "/"):
            case "/control/add":
                self.numbers.add(**request.json)
            case "/control/fail":
                self.numbers.fail(**request.json)
            case "/control/elsewhere":
                self.numbers.change_elsewhere(**request.json)
            case "/control/url":
                return Answer.of({"url": self.numbers.url_of(request.query["address"])})
        return Answer.of({})

    def send_answer(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def reset(self) -> None:
        """Close with RST: the caller can't know whether what it wrote was taken."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())


def main(name: str) -> None:
    handler = type("BoundHandler", (Handler,), {"numbers": FAR_ENDS[name]()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    print(f"listening on {server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
