"""Pictures are fetched from the carrier's hosts only; the host in the test counts connections."""

from __future__ import annotations

import hashlib
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from messaging.attachments.fetching import (
    AWAY,
    CHANGED,
    GONE,
    NOT_GIVEN,
    TOO_BIG,
    FetchError,
    fetch_media,
    media_network,
)
from messaging.carriers import results
from messaging.carriers.simulator import Simulator
from messaging.private_networks import INTERNET, Network, is_public
from tests.messaging.attachments.media_host import (
    MediaHost,
    media_host,
    ok_response,
    redirect_response,
)
from tests.messaging.carriers.fixtures import FIXTURES

NAME = "media.carrier.test"
HOSTS = (NAME, ".cdn.test")
SECRET = {"Authorization": "Basic c2VjcmV0"}


@pytest.fixture
def host() -> Iterator[MediaHost]:
    with media_host() as listening:
        yield listening


def allow_all(address: str) -> bool:
    return True


def media_request(host: MediaHost, path: str = "/a", name: str = NAME) -> results.MediaRequest:
    return results.MediaRequest(f"https://{name}:{host.port}{path}", HOSTS, SECRET)


def test_a_picture_is_fetched_with_the_accounts_credentials(host: MediaHost) -> None:
    host.answers["/a?b=c%20d"] = ok_response(b"bytes")
    network = host.network(["127.0.0.1"], allow_all)
    assert fetch_media(media_request(host, "/a?b=c%20d"), network=network) == b"bytes"
    [(_, headers)] = host.requests
    assert headers["authorization"] == SECRET["Authorization"]
    assert headers["host"].split(":")[0] == NAME
    assert headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("order", [1, -1])
def test_one_private_address_is_enough_to_call_none(host: MediaHost, order: int) -> None:
    host.answers["/a"] = ok_response(b"secret")
    addresses = ["127.0.0.1", "127.0.0.2"][::order]
    network = host.network(addresses, lambda address: address == "127.0.0.1")
    with pytest.raises(FetchError, match="isn't the carrier's"):
        fetch_media(media_request(host), network=network)
    assert host.connections == 0


def test_this_machines_own_addresses_are_not_called_by_any_of_its_names(
    host: MediaHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda _, *args, **more: real("localhost", *args, **more)
    )
    network = Network("https", host.port, is_public)
    with pytest.raises(FetchError, match="isn't the carrier's"):
        fetch_media(media_request(host), network=network)
    assert host.connections == 0
    # The same name leads somewhere, were it not for the guard.
    with pytest.raises(FetchError) as raised:
        fetch_media(media_request(host), network=Network("https", host.port, allow_all))
    assert raised.value.is_passing
    assert host.connections > 0


def test_a_changing_name_is_resolved_once_and_the_connection_pinned(
    host: MediaHost,
) -> None:
    """Let the name's second answer lead inside."""
    with media_host("127.0.0.2") as outside, media_host("127.0.0.3", outside.port) as inside:
        outside.answers["/a"] = ok_response(b"bytes")
        inside.answers["/a"] = ok_response(b"secret")
        answers = iter([["127.0.0.2"], ["127.0.0.3"], ["127.0.0.3"]])
        network = Network(
            "https",
            outside.port,
            lambda address: address == "127.0.0.2",
            lambda *_: next(answers),
            host.network([]).tls,
        )
        assert fetch_media(media_request(outside), network=network) == b"bytes"
        assert (outside.connections, inside.connections) == (1, 0)
        # Asked again, as at a redirect, it leads inside and is refused.
        with pytest.raises(FetchError, match="isn't the carrier's"):
            fetch_media(media_request(outside), network=network)
        assert (outside.connections, inside.connections) == (1, 0)


ELSEWHERE = [
    "https://evil.test:PORT/a",
    "https://evilmedia.carrier.test:PORT/a",
    "https://media.carrier.test.evil.test:PORT/a",
    "https://cdn.test:PORT/a",
    "https://127.0.0.1:PORT/a",
    "https://[::1]:PORT/a",
    "https://[::ffff:127.0.0.1]:PORT/a",
    "https://user:word@media.carrier.test:PORT/a",
    "http://media.carrier.test:PORT/a",
    "https://media.carrier.test/a",
    "https://media.carrier.test:22/a",
    "https://media.carrier.test:many/a",
    "file:///etc/passwd",
    "gopher://media.carrier.test:PORT/a",
    "//evil.test:PORT/a",
    "https://media.carrier.test\\@evil.test:PORT/a",
    "https://evil.test:PORT\\@media.carrier.test:PORT/a",
    "https://[::1",
]


@pytest.mark.parametrize("to", ELSEWHERE)
@pytest.mark.parametrize("is_redirect", [True, False])
def test_foreign_addresses_are_called_neither_directly_nor_by_redirect(
    host: MediaHost, to: str, is_redirect: bool
) -> None:
    to = to.replace("PORT", str(host.port))
    host.answers["/a"] = redirect_response(to)
    with media_host() as other:
        network = host.network(["127.0.0.1"], allow_all)
        first = media_request(host) if is_redirect else results.MediaRequest(to, HOSTS, SECRET)
        with pytest.raises(FetchError, match="isn't the carrier's"):
            fetch_media(first, network=network)
        assert other.connections == 0
    assert host.connections == int(is_redirect)


# Addresses as carriers gave them in webhooks that others have published, and near ones.
TELNYX_FILE = "mms/d4e96d57367a6e68203b511d5c459210/7906abe9e4aaa9e0d941392a8b109194.jpeg"
FROM_CARRIERS = [
    ("telnyx", f"https://tlnx-mms-media.s3.amazonaws.com/{TELNYX_FILE}", True),
    ("telnyx", f"https://tlnx-mms-media.s3.us-east-1.amazonaws.com/{TELNYX_FILE}", True),
    ("telnyx", f"https://another-bucket.s3.amazonaws.com/{TELNYX_FILE}", False),
    ("telnyx", f"https://x.tlnx-mms-media.s3.amazonaws.com/{TELNYX_FILE}", False),
    ("telnyx", f"https://s3.amazonaws.com/another-bucket/{TELNYX_FILE}", False),
    ("telnyx", f"https://tlnx-mms-media.s3.amazonaws.com.evil.test/{TELNYX_FILE}", False),
    ("twilio", "https://api.twilio.com/2010-04-01/Accounts/AC0/Messages/MM1/Media/ME1", True),
    ("twilio", "https://mms.twiliocdn.com/AC0/1?Expires=1&Signature=x/.y", True),
    ("twilio", "https://s3-external-1.amazonaws.com/media.twiliocdn.com/AC0/1?a=/../b", True),
    ("twilio", "https://s3-external-1.amazonaws.com/another-bucket/AC0/1", False),
    ("twilio", "https://s3-external-1.amazonaws.com/media.twiliocdn.com.evil/1", False),
    ("twilio", "https://s3-external-1.amazonaws.com/media.twiliocdn.com/../evil/1", False),
    ("twilio", "https://s3-external-1.amazonaws.com/media.twiliocdn.com/%2E./evil/1", False),
    ("signalwire", "https://files.signalwire.com/0/1/mms/2.jpeg", True),
    ("signalwire", "https://s3.us-east-2.amazonaws.com/files.signalwire.com/0/1", True),
    ("signalwire", "https://s3.us-east-2.amazonaws.com/another-bucket/0/1", False),
    ("vonage", "https://api-us.nexmo.com/v3/media/1b456509-974c-458b-aafa-45fc48a4d976", True),
    ("plivo", "https://media.plivo.com/Account/MA0/Media/1.jpeg", True),
    ("bandwidth", "https://messaging.bandwidth.com/api/v2/users/1/media/2/0/3.jpeg", True),
]


@pytest.mark.parametrize(("carrier", "url", "is_theirs"), FROM_CARRIERS)
def test_pictures_come_from_the_carriers_own_storage_and_no_neighbours(
    carrier: str, url: str, is_theirs: bool
) -> None:
    fixture = FIXTURES[carrier]
    request = fixture.carrier.media_request(url, fixture.credentials)

    def resolve_nothing(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    network = replace(INTERNET, resolve=resolve_nothing)
    with pytest.raises(FetchError) as raised:
        fetch_media(request, network=network)
    assert (raised.value.sentence == AWAY) is is_theirs


def test_a_redirect_within_the_carriers_hosts_is_followed_without_the_credentials(
    host: MediaHost,
) -> None:
    there = f"https://x.cdn.test:{host.port}/b"
    host.answers |= {
        "/a": redirect_response(there),
        "/b": redirect_response("/c"),
        "/c": ok_response(b"bytes"),
    }
    assert (
        fetch_media(media_request(host), network=host.network(["127.0.0.1"], allow_all))
        == b"bytes"
    )
    assert [path for path, _ in host.requests] == ["/a", "/b", "/c"]
    assert ["authorization" in headers for _, headers in host.requests] == [True, False, False]


def test_a_redirect_to_a_name_that_leads_inside_is_refused(host: MediaHost) -> None:
    host.answers["/a"] = redirect_response(f"https://x.cdn.test:{host.port}/b")
    names = {NAME: ["127.0.0.1"], "x.cdn.test": ["127.0.0.9"]}
    network = host.network(names, lambda address: address == "127.0.0.1")
    with pytest.raises(FetchError, match="isn't the carrier's"):
        fetch_media(media_request(host), network=network)
    assert host.connections == 1


def test_three_redirects_are_followed_and_no_fourth(host: MediaHost) -> None:
    host.answers |= {f"/{n}": redirect_response(f"/{n + 1}") for n in range(4)} | {
        "/4": ok_response(b"bytes")
    }
    network = host.network(["127.0.0.1"], allow_all)
    assert fetch_media(media_request(host, "/1"), network=network) == b"bytes"
    with pytest.raises(FetchError, match="isn't the carrier's"):
        fetch_media(media_request(host, "/0"), network=network)
    assert host.connections == 4 + 4


def test_the_certificate_is_proven_for_the_name_though_the_address_is_pinned(
    host: MediaHost,
) -> None:
    asked = results.MediaRequest(f"https://deep.x.cdn.test:{host.port}/a", HOSTS, SECRET)
    with pytest.raises(FetchError) as raised:
        fetch_media(asked, network=host.network(["127.0.0.1"], allow_all))
    assert isinstance(raised.value.__cause__, Exception)
    assert "certificate" in str(raised.value.__cause__).lower()
    assert (host.connections, host.requests) == (1, [])


def test_no_proxy_of_the_environment_is_used(
    host: MediaHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.answers["/a"] = ok_response(b"bytes")
    with media_host() as proxy:
        for name in ("HTTPS_PROXY", "ALL_PROXY", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        fetch_media(media_request(host), network=host.network(["127.0.0.1"], allow_all))
        assert (host.connections, proxy.connections) == (1, 0)


def test_an_address_that_does_not_answer_gives_way_to_the_next(host: MediaHost) -> None:
    with media_host("127.0.0.5") as only:
        only.answers["/a"] = ok_response(b"bytes")
        network = only.network(["127.0.0.6", "127.0.0.5"], allow_all)
        assert fetch_media(media_request(only), network=network) == b"bytes"


def test_bytes_beyond_the_limit_are_not_read(host: MediaHost) -> None:
    def endless(line: ssl.SSLSocket) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(1000):
            line.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")

    host.answers["/a"] = endless
    with pytest.raises(FetchError) as raised:
        fetch_media(
            media_request(host), network=host.network(["127.0.0.1"], allow_all), largest=100_000
        )
    assert (raised.value.sentence, raised.value.is_passing) == (TOO_BIG, False)


def test_compressed_bytes_are_not_expanded(host: MediaHost) -> None:
    host.answers["/a"] = ok_response(b"\x1f\x8b" + b"0" * 100, Content_Encoding="gzip")
    with pytest.raises(FetchError):
        fetch_media(media_request(host), network=host.network(["127.0.0.1"], allow_all))


@pytest.mark.parametrize("in_headers", [True, False])
def test_a_slow_host_is_given_up_after_the_total_timeout(
    host: MediaHost, in_headers: bool
) -> None:
    def drip(line: ssl.SSLSocket) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n")
        line.sendall(b"" if in_headers else b"\r\n")
        for _ in range(100):
            line.sendall(b"x")
            time.sleep(0.05)

    host.answers["/a"] = drip
    start = time.monotonic()
    with pytest.raises(FetchError) as raised:
        fetch_media(
            media_request(host), network=host.network(["127.0.0.1"], allow_all), seconds=0.5
        )
    assert raised.value.is_passing
    assert time.monotonic() - start < 3


@pytest.mark.parametrize(
    ("status", "sentence", "is_passing"),
    [(404, GONE, True), (401, NOT_GIVEN, False), (403, NOT_GIVEN, False), (500, None, True)],
)
def test_a_refusal_is_explained_in_words(
    host: MediaHost, status: int, sentence: str | None, is_passing: bool
) -> None:
    host.answers["/a"] = f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode()
    with pytest.raises(FetchError) as raised:
        fetch_media(media_request(host), network=host.network(["127.0.0.1"], allow_all))
    assert raised.value.is_passing is is_passing
    assert sentence in {None, raised.value.sentence}


def test_bytes_with_a_wrong_checksum_are_not_kept(host: MediaHost) -> None:
    host.answers["/a"] = ok_response(b"bytes")
    network = host.network(["127.0.0.1"], allow_all)
    good = hashlib.sha256(b"bytes").hexdigest()
    assert fetch_media(media_request(host), network=network, sha256=good.upper()) == b"bytes"
    with pytest.raises(FetchError, match=CHANGED):
        fetch_media(media_request(host), network=network, sha256="0" * 64)


def test_only_the_simulator_is_fetched_from_loopback_and_only_without_a_public_address(
    settings: object,
) -> None:
    for name in ("twilio", "plivo", "telnyx", "bandwidth", "vonage", "signalwire"):
        assert media_network(name) is INTERNET
    settings.PUBLIC_URL = "https://texts.example.com"  # type: ignore[attr-defined]
    assert media_network("simulator") is INTERNET
    settings.SIMULATOR_API_URL = "http://web:8000"  # type: ignore[attr-defined]
    assert media_network("twilio") is INTERNET
    network = media_network("simulator")
    assert (network.scheme, network.port, network.is_allowed("172.18.0.3")) == ("http", 8000, True)
    secret = {"secret": "a-secret"}
    inside = Simulator().media_request("https://texts.example.com/simulator/files/1/", secret)
    assert (inside.url, inside.hosts) == ("http://web:8000/simulator/files/1/", ("web",))
    assert inside.headers["host"] == "texts.example.com"
    for url in ("https://evil.example/1", "https://texts.example.com.evil.example/1"):
        elsewhere = Simulator().media_request(url, secret)
        assert (elsewhere.url, elsewhere.hosts) == (url, ("web",))
        assert "Authorization" not in elsewhere.headers
    settings.SIMULATOR_API_URL = ""  # type: ignore[attr-defined]
    settings.PUBLIC_URL = "http://127.0.0.1:8000"  # type: ignore[attr-defined]
    network = media_network("simulator")
    assert network.is_allowed("127.0.0.1")
    assert not network.is_allowed("10.0.0.1")
    assert not network.is_allowed("8.8.8.8")
