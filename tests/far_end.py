"""The carriers' far end for tests: a process of its own with a ledger of its own.

Speaks Twilio's `Messages.json` and the simulator's endpoint with the standard library
alone, and shares no code with the product, so that the two can be compared. Reads the other
carriers' texts too, and answers them what a test has it say. Every POST is appended to a
JSONL ledger before it is answered.

    python tests/far_end.py LEDGER_FILE      prints "listening on PORT" when it is ready

Control (JSON):
    POST /control/plan      {"answers": [ANSWER…], "to": NUMBER?, "default": ANSWER?}
    POST /control/receipts  {"secret", "deliver_to"?, "automatic": [[DELAY, STATE]…]?}
    POST /control/report    {"id", "state", "code"?}     one signed receipt now
    POST /control/inbound   {"id", "from", "to", "text", "at"}   in the log only, without a webhook
    POST /control/log       {"status"}                   what reading the log and account gets
    POST /control/numbers/add, …/fail, …/elsewhere; GET …/url     see `number_far_ends/serve.py`
GET answers as Twilio's log of Messages and its Account do, and both as its phone numbers.
An ANSWER is {"kind": KIND, …}:
    accept, slow (seconds), throttle (retry_after?), error (status?), reject (code, status?),
    unauthorised, garbled (201 without sense), redirect, timeout (taken, then silence for
    seconds), reset (taken, then RST), reset_untaken (RST, not taken), say (status, json: what
    any carrier answers; taken?)
`answers` are used up by the next requests (to that number, if given), then `default`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import signal
import socket
import struct
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

sys.path.insert(0, str(Path(__file__).parents[1]))  # it is started as a file
from tests.far_end_texts import Text, sent_text
from tests.messaging.carriers.number_far_ends import serve
from tests.messaging.carriers.number_far_ends.twilio import TwilioNumbers

TAKING = {"accept", "slow", "garbled", "timeout", "reset"}
Answer = dict[str, Any]


@dataclass
class FarEndState:
    """Hold all that the process knows, guarded by one lock."""

    ledger: Path
    lock: threading.Lock = field(default_factory=threading.Lock)
    answers: deque[Answer] = field(default_factory=deque)
    by_number: dict[str, deque[Answer]] = field(default_factory=dict)
    default: Answer = field(default_factory=lambda: {"kind": "accept"})
    texts: dict[str, Text] = field(default_factory=dict)
    log_status: int = 200
    secret: str = ""
    deliver_to: str = ""
    automatic: list[tuple[float, str]] = field(default_factory=list)

    def record(self, **entry: object) -> None:
        """Append one line to the ledger and flush it, so that a kill -9 keeps it."""
        with self.lock, self.ledger.open("a") as file:
            file.write(json.dumps({"at": time.time(), **entry}) + "\n")

    def next_answer(self, recipient: str) -> Answer:
        with self.lock:
            for queue in (self.by_number.get(recipient), self.answers):
                if queue:
                    return queue.popleft()
            return self.default

    def plan_answers(self, order: dict[str, Any]) -> None:
        with self.lock:
            if "default" in order:
                self.default = order["default"]
            if to := order.get("to"):
                self.by_number[to] = deque(order.get("answers", []))
            elif "answers" in order:
                self.answers = deque(order["answers"])


def twilio_signature(token: str, url: str, fields: dict[str, str]) -> str:
    text = url + "".join(key + fields[key] for key in sorted(fields))
    return base64.b64encode(
        hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()
    ).decode()


def receipt_request(
    text: Text, state: str, code: str, secret: str, deliver_to: str
) -> urllib.request.Request:
    """Build a receipt as the text's carrier sends it, signed for the public address."""
    parts = urlsplit(text.callback)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    if text.carrier == "twilio":
        fields = {
            "AccountSid": "AC" + "0" * 32,
            "ApiVersion": "2010-04-01",
            "From": text.sender,
            "MessageSid": text.id,
            "MessageStatus": state,
            "SmsSid": text.id,
            "SmsStatus": state,
            "To": text.recipient,
        } | ({"ErrorCode": code} if code else {})
        body = urlencode(fields).encode()
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            "X-Twilio-Signature": twilio_signature(secret, text.callback, fields),
        }
    else:
        event = {"type": "receipt", "id": text.id, "state": state, "code": code}
        body = json.dumps(event).encode()
        mac = hmac.new(secret.encode(), path.encode() + body, hashlib.sha256)
        headers = {
            "Content-Type": "application/json",
            "X-Simulator-Signature": mac.hexdigest(),
        }
    base = deliver_to or f"{parts.scheme}://{parts.netloc}"
    return urllib.request.Request(base + path, body, headers, method="POST")


def send_receipt(far_end: FarEndState, text: Text, state: str, code: str = "") -> int:
    """Send one receipt and record it. Return the webhook's status, 0 if there was no answer."""
    text.state = state
    request = receipt_request(text, state, code, far_end.secret, far_end.deliver_to)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            status = int(response.status)
    except urllib.error.HTTPError as error:
        status = error.code
    except OSError:
        status = 0
    far_end.record(event="receipt", id=text.id, state=state, status=status)
    return status


def send_automatic_receipts(far_end: FarEndState, text: Text) -> None:
    """Send the automatic receipts in the given order; some may be late, doubled or reversed."""
    for delay, state in list(far_end.automatic):
        time.sleep(delay)
        send_receipt(far_end, text, state, "30003" if state == "failed" else "")


class Handler(serve.Handler):
    far_end: FarEndState

    @property
    def is_about_numbers(self) -> bool:
        path = urlsplit(self.path).path
        return path.startswith("/control/numbers/") or TwilioNumbers.is_about_numbers(path)

    def do_GET(self) -> None:  # noqa: N802  its name in http.server
        if self.is_about_numbers:
            self.serve()
            return
        address = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(address.query).items()}
        self.far_end.record(event="question", path=address.path, query=query)
        if self.far_end.log_status != 200:
            self.reply(self.far_end.log_status, {})
        elif address.path.endswith("/Messages.json"):
            between = [query.get("From"), query.get("To")]
            records = [
                text.log_record()
                for text in sorted(self.far_end.texts.values(), key=lambda text: -text.at)
                if all(
                    a in (None, b)
                    for a, b in zip(between, [text.sender, text.recipient], strict=True)
                )
            ]
            self.reply(200, {"messages": records, "next_page_uri": None})
        else:
            sid = address.path.removesuffix(".json").split("/")[-1]
            self.reply(200, {"sid": sid, "friendly_name": "Far End Ltd", "status": "active"})

    def do_POST(self) -> None:  # noqa: N802
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.is_about_numbers:
            self.serve(raw)
        elif self.path.startswith("/control/"):
            self.run_command(json.loads(raw or b"{}"))
        elif self.path == "/api/v1/oauth2/token":  # Bandwidth's login
            self.reply(200, {"access_token": "a-token", "expires_in": 3600})
        else:
            self.receive_text(sent_text(self.path, raw))

    def receive_text(self, text: Text) -> None:
        """Choose the answer, record the text in the ledger, keep it if accepted, and answer."""
        answer = self.far_end.next_answer(text.recipient)
        taken = answer["kind"] in TAKING or bool(answer.get("taken"))
        self.far_end.record(
            event="text",
            carrier=text.carrier,
            id=text.id,
            answer=answer["kind"],
            taken=taken,
            callback=text.callback,
            attempt=urlsplit(text.callback).path.rstrip("/").split("/")[-1],
            sender=text.sender,
            to=text.recipient,
            body=text.body,
            path=self.path,
            authorization=self.headers.get("authorization", ""),
        )
        if taken:
            self.far_end.texts[text.id] = text
        self.answer(text, answer)
        if taken and self.far_end.automatic and text.callback:
            threading.Thread(
                target=send_automatic_receipts, args=(self.far_end, text), daemon=True
            ).start()

    def answer(self, text: Text, answer: Answer) -> None:
        getattr(self, "answer_" + answer["kind"])(text, answer)

    def answer_accept(self, text: Text, answer: Answer) -> None:
        self.reply_accepted(text)

    def answer_slow(self, text: Text, answer: Answer) -> None:
        time.sleep(answer["seconds"])
        self.reply_accepted(text)

    def answer_throttle(self, text: Text, answer: Answer) -> None:
        after = answer.get("retry_after")
        headers = {"Retry-After": str(after)} if after is not None else {}
        self.reply(429, {"code": 20429, "message": "Too Many Requests"}, headers)

    def answer_error(self, text: Text, answer: Answer) -> None:
        self.reply(answer.get("status", 500), {"message": "Internal Server Error"})

    def answer_reject(self, text: Text, answer: Answer) -> None:
        status = answer.get("status", 400)
        # Like Twilio's, the words repeat the number; they must not come out anywhere.
        words = f"The number {text.recipient} was refused."
        self.reply(status, {"code": answer["code"], "message": words, "status": status})

    def answer_unauthorised(self, text: Text, answer: Answer) -> None:
        self.reply(401, {"code": 20003, "message": "Authenticate", "status": 401})

    def answer_garbled(self, text: Text, answer: Answer) -> None:
        self.reply_raw(201, b"<html>created")

    def answer_redirect(self, text: Text, answer: Answer) -> None:
        self.reply(307, {}, {"Location": self.path})

    def answer_timeout(self, text: Text, answer: Answer) -> None:
        time.sleep(answer.get("seconds", 30))
        self.close_connection = True

    def answer_reset(self, text: Text, answer: Answer) -> None:
        """Close with RST: what was written to us may or may not have been done."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())

    answer_reset_untaken = answer_reset

    def answer_say(self, text: Text, answer: Answer) -> None:
        self.reply(answer["status"], answer["json"])

    def reply_accepted(self, text: Text) -> None:
        if text.carrier == "twilio":
            self.reply(
                201,
                {
                    "sid": text.id,
                    "status": "queued",
                    "to": text.recipient,
                    "from": text.sender,
                    "body": text.body,
                    "error_code": None,
                },
            )
        else:
            self.reply(201, {"id": text.id})

    def run_command(self, order: dict[str, Any]) -> None:
        far_end = self.far_end
        match self.path:
            case "/control/plan":
                far_end.plan_answers(order)
                self.reply(200, {})
            case "/control/receipts":
                far_end.secret = order.get("secret", far_end.secret)
                far_end.deliver_to = order.get("deliver_to", far_end.deliver_to)
                far_end.automatic = [(d, s) for d, s in order.get("automatic", far_end.automatic)]
                self.reply(200, {})
            case "/control/report":
                text = far_end.texts[order["id"]]
                status = send_receipt(far_end, text, order["state"], order.get("code", ""))
                self.reply(200, {"status": status})
            case "/control/inbound":
                far_end.texts[order["id"]] = Text(
                    "twilio",
                    order["id"],
                    order["from"],
                    order["to"],
                    order["text"],
                    callback="",
                    state="received",
                    at=order["at"],
                )
                self.reply(200, {})
            case "/control/log":
                far_end.log_status = order["status"]
                self.reply(200, {})
            case _:
                self.reply(404, {})

    def reply(self, status: int, value: object, headers: dict[str, str] | None = None) -> None:
        self.reply_raw(status, json.dumps(value).encode(), headers)

    def reply_raw(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report all errors except that the caller is gone."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def main(ledger: str, port: str = "0") -> None:
    numbers = TwilioNumbers(token="")
    state = {"far_end": FarEndState(Path(ledger)), "numbers": numbers}
    handler = type("BoundHandler", (Handler,), state)
    server = Server(("127.0.0.1", int(port)), handler)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    print(f"listening on {server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
