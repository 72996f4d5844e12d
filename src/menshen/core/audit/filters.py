"""Say which audit events an operator asks for, and sum them up."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Final

from menshen.core.audit.events import Event, Tag
from menshen.core.networks import parse_address
from menshen.core.time import Instant

Network = IPv4Network | IPv6Network

_LAST: Final = "~"
"""A character behind all that addresses consist of."""


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Hold the conditions. An event must meet all that are given; None and "" ask for nothing."""

    account_number: int | None = None
    tag: Tag | None = None
    since: Instant | None = None
    network: Network | None = None
    request_id: str = ""

    @property
    def ip_bounds(self) -> tuple[str, str]:
        """Return the first and the last text between which the addresses of `network` stand. Others may stand there."""
        return text_bounds(self.network) if self.network is not None else ("", _LAST)

    def holds_ip(self, ip: str) -> bool:
        """Check if `network` has the address `ip`, or is not asked for."""
        if self.network is None:
            return True
        address = parse_address(ip)
        return address is not None and address.version == self.network.version and address in self.network

    def holds(self, event: Event) -> bool:
        """Check if `event` meets all conditions."""
        return (
            (self.account_number is None or event.account_number == self.account_number)
            and (self.tag is None or event.tag is self.tag)
            and (self.since is None or event.at >= self.since)
            and (not self.request_id or event.request_id == self.request_id)
            and self.holds_ip(event.ip)
        )


EVERY_EVENT: Final = EventFilter()


@dataclass(frozen=True, slots=True)
class EventCount:
    """Hold how many events have the same tag, address and reason, and when the last one was."""

    ip: str
    tag: Tag
    reason: str
    count: int
    last: Instant


def text_bounds(network: Network) -> tuple[str, str]:
    """Return the first and the last text between which addresses of `network` stand, as `str` writes them.

    IPv4 shares the text of its whole octets. IPv6 shares that of the whole groups before the first that is 0, because
    a run of zeros may be written as `::`. (RFC 5952.)
    """
    if network.prefixlen == network.max_prefixlen:
        return str(network.network_address), str(network.network_address)
    if isinstance(network, IPv4Network):
        parts = str(network.network_address).split(".")[: network.prefixlen // 8]
        mark = "."
    else:
        groups = [f"{int(group, 16):x}" for group in network.network_address.exploded.split(":")]
        whole = groups[: network.prefixlen // 16]
        parts = whole[: whole.index("0")] if "0" in whole else whole
        mark = ":"
    prefix = "".join(part + mark for part in parts)
    return prefix, prefix + _LAST
