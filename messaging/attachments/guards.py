"""Where a request to an address that others gave may lead, and a line that goes nowhere else.

Addresses of media come in webhooks, those of push services from browsers. Whoever forges one must
not make us call our own network, hand our credentials to a stranger, or hold a worker for ever.
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
from django.conf import settings

Resolve = Callable[[str, int], Sequence[str]]

SAFE_IN_TARGET = "%/?:@!$&'()*+,;=-._~[]|"
TUNNELS = [ipaddress.ip_network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2001::/23")]
"""Version 6 addresses that stand for version 4 ones, beside the mapped and the 6to4 ones."""


NOT_PUBLIC = [ipaddress.ip_network(net) for net in ("192.0.0.0/24", "fec0::/10")]
"""Assigned to protocols, some clouds' metadata among them, and the old site-local addresses: how
much of them Python knows for private depends on its version."""


class Refused(Exception):
    """The address is none that we call. The text is for logs and holds no address."""


@cache
def usual_tls() -> ssl.SSLContext:
    """Return the one context of this process: reading all authorities takes longer than a call."""
    return httpx.create_ssl_context(trust_env=False)


@dataclass(frozen=True, slots=True)
class Network:
    """What can be reached, by which kind of address. The one of production is `INTERNET`."""

    scheme: str
    port: int
    is_allowed: Callable[[str], bool]
    resolve: Resolve = field(default=lambda host, port: resolve(host, port))
    tls: Callable[[], ssl.SSLContext] = usual_tls


def resolve(host: str, port: int) -> list[str]:
    """The host's addresses, in the system's order. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in found))


def is_public(address: str) -> bool:
    """Whether it lies on the public internet: not private, loopback, link-local, carrier-grade
    NAT, multicast or reserved, and no version 6 address that stands for one of version 4."""
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


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address).is_loopback


INTERNET = Network(scheme="https", port=443, is_allowed=is_public)


def network_of(carrier: str) -> Network:
    """The internet; but the demo's carrier is this very installation, on loopback and without
    TLS. No setting opens that way where the demo is off."""
    if carrier != "simulator" or not settings.DEMO:
        return INTERNET
    house = urlsplit(settings.PUBLIC_URL)
    port = house.port or {"http": 80}.get(house.scheme, 443)
    return Network(scheme=house.scheme, port=port, is_allowed=_is_loopback)


def target(url: str, hosts: Iterable[str], network: Network) -> httpcore.URL:
    """The address in parts that were checked. Raises Refused.

    Each of `hosts` is a whole name, or with a leading dot the end of one.
    """
    place = plain_target(url, network)
    host = place.host.decode()
    if not any(_is_of(host, allowed) for allowed in hosts):
        raise Refused("its host is not one of the carrier's")
    return place


def plain_target(url: str, network: Network) -> httpcore.URL:
    """Return the address in parts, at whatever host. Raises Refused for another scheme or port,
    for credentials, and for a host that is not written in ASCII."""
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
def answer_of(
    method: str,
    place: httpcore.URL,
    headers: Mapping[bytes | str, bytes | str],
    *,
    network: Network,
    end: float,
    content: bytes | None = None,
) -> Iterator[httpcore.Response]:
    """Ask over a line of its own, and give the answer before its body is read.

    All of it ends at `end` (of `time.monotonic`), but for looking up the name, which nothing can
    interrupt. Raises Refused, and httpcore's exceptions.
    """
    timeout = dict.fromkeys(("connect", "read", "write", "pool"), left(end))
    line = PinnedLine(network, end)
    with (
        httpcore.ConnectionPool(ssl_context=network.tls(), network_backend=line) as pool,
        pool.stream(
            method, place, headers=headers, content=content, extensions={"timeout": timeout}
        ) as answer,
    ):
        yield answer


def _is_of(host: str, allowed: str) -> bool:
    name = allowed.lower()
    return bool(host) and (host == name or (name.startswith(".") and host.endswith(name)))


class PinnedLine(httpcore.NetworkBackend):
    """Resolves a name once, checks every address that it leads to, and connects to just those.

    All that happens on its connections ends at `end` (of `time.monotonic`). TLS, on top of it,
    still proves the name.
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
                    address, port, left(self._end), local_address, socket_options
                )
                return _EndingStream(stream, self._end)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if number == len(addresses):
                    raise
        raise AssertionError  # there is at least one address


class _EndingStream(httpcore.NetworkStream):
    """Gives no step more time than is left of the whole."""

    def __init__(self, stream: httpcore.NetworkStream, end: float) -> None:
        self._stream, self._end = stream, end

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, left(self._end))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, left(self._end))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, left(self._end))
        return _EndingStream(stream, self._end)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def left(end: float) -> float:
    """Seconds until then. Raises httpcore.ReadTimeout when there are none."""
    seconds = end - time.monotonic()
    if seconds <= 0:
        raise httpcore.ReadTimeout("the time for the whole is over")
    return seconds
