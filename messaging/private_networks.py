"""Guard against requests into private networks.

Used for every address that comes from outside: pictures' addresses come in webhooks, push
services' from browsers. A forged one must not make us call our own network, or hold a worker for
ever.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import quote, urlsplit

import httpcore
import httpx

Resolve = Callable[[str, int], Sequence[str]]

SAFE_IN_TARGET = "%/?:@!$&'()*+,;=-._~[]|"

# IPv6 addresses that stand for IPv4 ones, besides the mapped and the 6to4 ones.
TUNNELS = [ipaddress.ip_network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2001::/23")]

# Assigned to protocols (the metadata of some clouds among them), and the old site-local addresses:
# how many of them Python counts as private depends on its version.
NOT_PUBLIC = [ipaddress.ip_network(net) for net in ("192.0.0.0/24", "fec0::/10")]


class Refused(Exception):
    """Say that we do not call this address. The text is for logs and does not hold it."""


@cache
def default_tls() -> ssl.SSLContext:
    """Return this process's one context: reading all authorities takes longer than a call."""
    return httpx.create_ssl_context(trust_env=False)


@dataclass(frozen=True, slots=True)
class Network:
    """Define what may be called: scheme, port and addresses. Production uses `INTERNET`."""

    scheme: str
    port: int
    is_allowed: Callable[[str], bool]
    resolve: Resolve = field(default=lambda host, port: resolve(host, port))
    tls: Callable[[], ssl.SSLContext] = default_tls


def resolve(host: str, port: int) -> list[str]:
    """Return the host's addresses in the system's order. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in found))


def is_public(address: str) -> bool:
    """Return True for an address on the public internet.

    Private, loopback, link-local, carrier-grade NAT, multicast and reserved addresses are none,
    nor are IPv6 addresses that stand for IPv4 ones.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False  # with a zone, or nonsense
    if isinstance(found, ipaddress.IPv6Address) and (
        found.ipv4_mapped or found.sixtofour or any(found in net for net in TUNNELS)
    ):
        return False
    if any(found in net for net in NOT_PUBLIC if net.version == found.version):
        return False
    return found.is_global and not found.is_multicast and not found.is_reserved


INTERNET = Network(scheme="https", port=443, is_allowed=is_public)


def parse_url(url: str, network: Network) -> httpcore.URL:
    """Split a URL into the parts of a request, at any host.

    Raises Refused for another scheme or port, for credentials, and for a host that is not ASCII.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Refused("it cannot be read") from error
    if parts.scheme != network.scheme or parts.username is not None or parts.password is not None:
        raise Refused(f"it is no plain {network.scheme} address")
    if (port or {"http": 80}.get(parts.scheme, 443)) != network.port:
        raise Refused("it names another port")
    host = (parts.hostname or "").rstrip(".")
    if not host or not host.isascii():
        raise Refused("its host is no plain name")
    path = quote(parts.path or "/", safe=SAFE_IN_TARGET)
    query = f"?{quote(parts.query, safe=SAFE_IN_TARGET)}" if parts.query else ""
    return httpcore.URL(scheme=parts.scheme, host=host, port=network.port, target=path + query)


@contextmanager
def open_response(
    method: str,
    place: httpcore.URL,
    headers: Mapping[bytes | str, bytes | str],
    *,
    network: Network,
    end: float,
    content: bytes | None = None,
) -> Iterator[httpcore.Response]:
    """Send a request over a connection of its own; yield the response before its body is read.

    All of it ends at `end` (of `time.monotonic`), except looking up the name, which nothing can
    interrupt. Raises Refused and httpcore's exceptions.
    """
    timeout = dict.fromkeys(("connect", "read", "write", "pool"), seconds_left(end))
    backend = PinnedBackend(network, end)
    with (
        httpcore.ConnectionPool(ssl_context=network.tls(), network_backend=backend) as pool,
        pool.stream(
            method, place, headers=headers, content=content, extensions={"timeout": timeout}
        ) as response,
    ):
        yield response


class PinnedBackend(httpcore.NetworkBackend):
    """Resolve a name once, check each of its addresses, and connect to these only.

    Everything on its connections ends at `end` (of `time.monotonic`). TLS on top of it still
    checks the name.
    """

    def __init__(self, network: Network, end: float) -> None:
        self._network, self._end = network, end
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            addresses = self._network.resolve(host, port)
        except (OSError, UnicodeError) as error:  # the latter for a label that no name can have
            raise httpcore.ConnectError("the name does not resolve") from error
        if not addresses or not all(self._network.is_allowed(one) for one in addresses):
            raise Refused("its name leads into a network that we do not call")
        for number, address in enumerate(addresses, 1):
            try:
                stream = self._backend.connect_tcp(
                    address, port, seconds_left(self._end), local_address, socket_options
                )
                return _DeadlineStream(stream, self._end)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if number == len(addresses):
                    raise
        raise AssertionError  # there is at least one address


class _DeadlineStream(httpcore.NetworkStream):
    """Let no step of a stream take longer than the time that is left."""

    def __init__(self, stream: httpcore.NetworkStream, end: float) -> None:
        self._stream, self._end = stream, end

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, seconds_left(self._end))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, seconds_left(self._end))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, seconds_left(self._end))
        return _DeadlineStream(stream, self._end)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def seconds_left(end: float) -> float:
    """Return the seconds until `end`. Raises httpcore.ReadTimeout if there are none."""
    seconds = end - time.monotonic()
    if seconds <= 0:
        raise httpcore.ReadTimeout("the time for the whole is over")
    return seconds
