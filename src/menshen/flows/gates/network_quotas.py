"""Charge the quotas of networks, at once to each network that the caller's address lies in, and read them."""

from __future__ import annotations

from menshen.core.gates.limits import Claim, Quota
from menshen.core.keys import Keyring
from menshen.core.rules import Origin
from menshen.core.time import HOUR, Instant
from menshen.ports.store.counters import CounterReader
from menshen.ports.store.store import WriteTx


async def codes_of_network(counters: CounterReader, origin: Origin, *, keyring: Keyring, now: Instant) -> int:
    """Return how many codes the caller's widest network asked for in the last hour."""
    return await counters.uses(keyring.counter_key(Quota.SEND_NETWORK_HOUR, origin.widest), HOUR, now)


async def charge_networks(
    tx: WriteTx, quota: Quota, most: int, origin: Origin, *, keyring: Keyring, now: Instant
) -> int | None:
    """Charge one action, of which `most` are allowed in an hour. A wider network may do more, by its factor.

    Return None, or the seconds to wait if one of the networks has no room.
    """
    claims = [Claim(keyring.counter_key(quota, network), most * factor, HOUR) for network, factor in origin.networks]
    return await tx.counters.charge(claims, now)
