"""Network addresses of clients, as limits count them."""

from __future__ import annotations

import ipaddress


def network_of(address: str) -> str:
    """Return the address, or its /64 for IPv6, which is what a provider gives to one customer.

    What is no address, such as the name of a socket, is returned as it is.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 4:
        return address
    mapped = found.ipv4_mapped
    return str(mapped or ipaddress.ip_network((int(found), 64), strict=False))
