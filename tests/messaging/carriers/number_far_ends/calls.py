"""Call a far end in this process, by the client that the product is given."""

from __future__ import annotations

import httpx

from tests.messaging.carriers.number_far_ends.base import Answer, NumberFarEnd, Request


def client_of(far_end: NumberFarEnd) -> httpx.Client:
    """Return a client whose requests reach the far end, whatever host they are for."""

    def handle(sent: httpx.Request) -> httpx.Response:
        request = Request.read(sent.method, str(sent.url), dict(sent.headers), sent.content)
        failure = far_end.take_failure(request)
        if failure is None:
            return _response(far_end.answer(request))
        match failure.kind:
            case "status":
                return _response(far_end.refuse(failure.status, failure.headers))
            case "garbled":
                far_end.answer(request)
                return httpx.Response(200, text="<html>")
            case "silence":
                raise httpx.ReadTimeout("silence")
            case "refused":
                raise httpx.ConnectError("refused")
            case "reset":
                far_end.answer(request)
        raise httpx.ReadError("reset")

    return httpx.Client(transport=httpx.MockTransport(handle), follow_redirects=True)


def _response(answer: Answer) -> httpx.Response:
    return httpx.Response(answer.status, content=answer.body, headers=answer.headers)
