"""Check whether an account logged in from a device or a network before.

Strangers can fill each limit that is shared. So a part of it is kept for those whom the account knows. (Decision 0044.)
"""

from __future__ import annotations

from menshen.core.account.accounts import Account
from menshen.core.networks import site_of
from menshen.core.rules import Origin
from menshen.core.tokens import digest
from menshen.ports.store.devices import DeviceReader


def device_digest(device_id: str) -> bytes:
    """Return the digest under which a device id is stored."""
    return digest(device_id)


async def is_known_device(devices: DeviceReader, account: Account | None, origin: Origin) -> bool:
    """Check whether the account logged in on this device before. Without an account the same query is made."""
    if not origin.device.device_id:
        return False
    return await devices.known(account.number if account else 0, device_digest(origin.device.device_id))


def is_known_network(account: Account | None, origin: Origin) -> bool:
    """Return whether one of the account's last two logins came from the /24 or /56 of this request."""
    if account is None or not account.login_ip:
        return False
    here, before = site_of(origin.ip), account.previous_login_ip
    return here == site_of(account.login_ip) or (before != "" and here == site_of(before))


async def how_known(devices: DeviceReader, account: Account | None, origin: Origin) -> str:
    """Return "device" or "network" for what the account knows of the caller, the device first, or "" for nothing."""
    if await is_known_device(devices, account, origin):
        return "device"
    return "network" if is_known_network(account, origin) else ""
