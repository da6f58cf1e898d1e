"""Say whether a carrier can reach this Partyline at all."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings

UNREACHABLE = (
    "{label} can't reach this Partyline at {address}: that address is this machine alone. Start "
    "it with PUBLIC_URL set to the address that people open. Nothing was changed."
)


def unreachable_address() -> str:
    """Return our own address if no carrier can reach it, else ""."""
    host = urlsplit(settings.PUBLIC_URL).hostname or ""
    return settings.PUBLIC_URL if _is_this_machine(host) else ""


def say_unreachable(label: str) -> str:
    """Return what is said instead of setting such an address; empty if ours can be reached."""
    address = unreachable_address()
    return UNREACHABLE.format(label=label, address=address) if address else ""


def _is_this_machine(host: str) -> bool:
    if host in settings.LOOPBACK_NAMES:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
