"""Pictures and web push use no address that is not public."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpcore
import pytest

from messaging import private_networks
from messaging.attachments.fetching import FetchError, fetch_media
from messaging.carriers import results
from messaging.models import PushSubscription
from messaging.notifications import webpush
from messaging.private_networks import INTERNET, Refused
from tests.messaging.notifications.push_service import Browser

NAME = "media.carrier.test"

FORBIDDEN = [
    "127.0.0.1", "127.8.9.1", "0.0.0.0", "10.0.0.1", "172.16.5.4", "192.168.1.1",
    "169.254.169.254", "192.0.0.192",
    "100.64.0.1", "100.127.255.254", "192.0.0.1", "198.18.0.1", "224.0.0.1", "255.255.255.255",
    "240.0.0.1", "192.0.2.1", "203.0.113.9",
    "::1", "::", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:10.0.0.1", "fe80::1", "fe80::1%lo",
    "fec0::1",
    "fc00::1", "fd12::1", "ff02::1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::a00:1",
    "2002:7f00:1::", "2002:a00:1::1",
    "2001:0:53aa:64c::1", "2001:db8::1", "::127.0.0.1", "nonsense",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "2606:4700::1111", "100.128.0.1", "172.32.0.1"]


def fetch_picture() -> None:
    """Raise what kept the picture from being fetched."""
    with pytest.raises(FetchError) as raised:
        fetch_media(results.MediaRequest(f"https://{NAME}/a", (NAME,)), seconds=5)
    raise raised.value.__cause__ or AssertionError


def send_push() -> None:
    subscription = PushSubscription(endpoint=f"https://{NAME}/x", **Browser().form_fields)
    webpush.post_message(subscription, b"{}", end=time.monotonic() + 5)


Call = Callable[[], None]


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the addresses that code connects to; each connection is refused."""
    seen: list[str] = []

    def refuse(backend: object, host: str, *details: object) -> None:
        seen.append(host)
        raise httpcore.ConnectError

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", refuse)
    return seen


@pytest.mark.parametrize("address", FORBIDDEN)
@pytest.mark.parametrize("call", [fetch_picture, send_push])
def test_a_name_with_a_private_address_is_never_connected_to(
    call: Call, address: str, connected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for addresses in ([address], ["8.8.8.8", address], [address, "8.8.8.8"]):
        monkeypatch.setattr(private_networks, "resolve", lambda *_, found=addresses: found)
        with pytest.raises(Refused, match="network that we do not call"):
            call()
    assert connected == []


@pytest.mark.parametrize("address", PUBLIC)
@pytest.mark.parametrize("call", [fetch_picture, send_push])
def test_public_addresses_are_connected_to(
    call: Call, address: str, connected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_networks, "resolve", lambda *_: [address])
    with pytest.raises(httpcore.ConnectError):
        call()
    assert connected == [address]


def test_outside_addresses_need_https_and_its_usual_port() -> None:
    assert (INTERNET.scheme, INTERNET.port) == ("https", 443)
