"""Addresses that stapel-core's guard admits, although no public host has one."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

RESERVED = tuple(
    map(
        ip_network,
        (
            "168.63.129.16/32",  # the host of an Azure machine
            "192.0.0.0/24",  # IETF protocol assignments, at Oracle Cloud the metadata of a machine
            "192.88.99.0/24",  # relays of 6to4
            "3fff::/20",  # documentation
            "fec0::/10",  # site-local
        ),
    )
)
NAT64 = ip_network("64:ff9b::/96")


def is_reserved(host: str) -> bool:
    """Whether `host` is such an address, even as an IPv4 address inside an IPv6 address."""
    try:
        address = _unwrapped(ip_address(host))
    except ValueError:
        return False
    return any(address in network for network in RESERVED)


def _unwrapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if isinstance(address, IPv4Address):
        return address
    inner = IPv4Address(int(address) & 0xFFFFFFFF) if address in NAT64 else address.ipv4_mapped or address.sixtofour
    return inner or address
