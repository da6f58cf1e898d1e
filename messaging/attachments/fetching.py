"""Fetch one picture or file from the address that a carrier gave."""

from __future__ import annotations

import hashlib
import ipaddress
import time
from collections.abc import Iterable
from urllib.parse import urljoin, urlsplit

import httpcore
from django.conf import settings

from messaging import private_networks
from messaging.carriers import results
from messaging.carriers.simulator import own_origin
from messaging.private_networks import INTERNET, Network, Refused

# In bytes. Carriers hand over up to 5 MB, some of them more.
MAX_FILE_SIZE = 20 * 1024 * 1024

TOTAL_TIMEOUT = 40.0  # Seconds for names, connections, redirects and bytes together

MAX_REDIRECTS = 3
REDIRECT_STATUSES = {301, 302, 303, 307, 308}


class FetchError(Exception):
    """Raised when a file cannot be fetched.

    `sentence` is for agents; `is_passing` says that it may work soon.
    """

    def __init__(self, sentence: str, *, is_passing: bool = False) -> None:
        super().__init__(sentence)
        self.sentence, self.is_passing = sentence, is_passing


NOT_THEIRS = "This file wasn't downloaded, because its address isn't the carrier's."
TOO_BIG = f"This file is larger than the {MAX_FILE_SIZE // (1024 * 1024)} MB limit."
NOT_GIVEN = (
    "The carrier refused to give us this file. Ask an administrator to check the carrier "
    "account, then try again."
)
GONE = "The carrier no longer has this file."
AWAY = "The carrier took too long to send this file."
CHANGED = "This file arrived damaged."


# The names of this machine, as settings.LOOPBACK_NAMES has them.
OWN_NAMES = ("127.0.0.1", "localhost", "::1")


def media_network(carrier: str) -> Network:
    """Return the network of a carrier's pictures: the internet.

    The simulator is this installation itself, which may be on loopback and without TLS. Nothing
    allows that where the installation has a public address, unless SIMULATOR_API_URL says where
    inside it is: then any address behind that one name.
    """
    own = urlsplit(own_origin())
    is_inside = bool(settings.SIMULATOR_API_URL)
    if carrier != "simulator" or (not is_inside and own.hostname not in OWN_NAMES):
        return INTERNET
    port = own.port or {"http": 80}.get(own.scheme, 443)
    is_allowed = _is_any if is_inside else _is_loopback
    return Network(scheme=own.scheme, port=port, is_allowed=is_allowed)


def _is_any(_: str) -> bool:
    return True


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address).is_loopback


def fetch_media(
    request: results.MediaRequest,
    *,
    sha256: str = "",
    network: Network = INTERNET,
    largest: int = MAX_FILE_SIZE,
    seconds: float = TOTAL_TIMEOUT,
) -> bytes:
    """Return the bytes at the address. Raises FetchError.

    Nothing that the far end says about them is trusted. `sha256` (hex) is checked if given.
    """
    end = time.monotonic() + seconds
    try:
        data = _follow_redirects(request, network, largest, end)
    except Refused as error:
        raise FetchError(NOT_THEIRS) from error
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise FetchError(AWAY, is_passing=True) from error
    if sha256 and hashlib.sha256(data).hexdigest() != sha256.lower():
        raise FetchError(CHANGED, is_passing=True)
    return data


def _follow_redirects(
    request: results.MediaRequest, network: Network, largest: int, end: float
) -> bytes:
    url, first = request.url, b""
    for _ in range(MAX_REDIRECTS + 1):
        parsed = _parse_url(url, request.hosts, network)
        first = first or parsed.host
        headers: dict[bytes | str, bytes | str] = {"Accept": "*/*", "Accept-Encoding": "identity"}
        if parsed.host == first:
            headers.update(dict(request.headers))
        response = _request_once(parsed, headers, network, largest, end)
        if isinstance(response, bytes):
            return response
        url = _resolve_redirect(url, response)
    raise Refused("it leads on and on")


def _parse_url(url: str, hosts: Iterable[str], network: Network) -> httpcore.URL:
    """Split a URL into the parts of a request. Raises Refused unless its host is one of `hosts`.

    `results.MediaRequest` says what they may be.
    """
    parsed = private_networks.parse_url(url, network)
    host, path = parsed.host.decode(), parsed.target.decode("latin-1")
    if not any(_host_matches(host, path, allowed) for allowed in hosts):
        raise Refused("its host is not one of the carrier's")
    return parsed


def _host_matches(host: str, path: str, allowed: str) -> bool:
    name, slash, folder = allowed.partition("/")
    steps = path.partition("?")[0].lower().replace("%2e", ".")
    if slash and (not path.startswith(f"/{folder}") or "/." in steps):
        return False
    name = name.lower()
    return bool(host) and (host == name or (name.startswith(".") and host.endswith(name)))


def _resolve_redirect(url: str, to: str) -> str:
    try:
        return urljoin(url, to)
    except ValueError as error:
        raise Refused("it leads to what cannot be read") from error


def _request_once(
    url: httpcore.URL,
    headers: dict[bytes | str, bytes | str],
    network: Network,
    largest: int,
    end: float,
) -> bytes | str:
    """Return the bytes, or the address of a redirect."""
    with private_networks.open_response("GET", url, headers, network=network, end=end) as response:
        response_headers = {
            name.lower(): value.decode("latin-1") for name, value in response.headers
        }
        if response.status in REDIRECT_STATUSES and b"location" in response_headers:
            return response_headers[b"location"]
        if response.status != 200:
            raise _error_for_status(response.status)
        if response_headers.get(b"content-encoding", "identity").lower() != "identity":
            # We asked for the plain bytes; a compressed response could expand without limit.
            raise FetchError(AWAY)
        return _read_body(response, largest, end)


def _read_body(response: httpcore.Response, largest: int, end: float) -> bytes:
    data = bytearray()
    for chunk in response.iter_stream():
        data += chunk
        if len(data) > largest:
            raise FetchError(TOO_BIG)
        private_networks.seconds_left(end)
    return bytes(data)


def _error_for_status(status: int) -> FetchError:
    if status in {401, 403}:
        return FetchError(NOT_GIVEN)
    if status in {404, 410}:
        # Some carriers announce a picture before they have it.
        return FetchError(GONE, is_passing=True)
    return FetchError(AWAY, is_passing=True)
