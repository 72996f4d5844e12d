"""Which addresses an outgoing call may reach."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from menshen.adapters.outward.address_guard import (
    AddressRefusedError,
    allowed_addresses,
    is_allowed,
    resolve_by_system,
)
from menshen.core.networks import NetworkSet

NONE = NetworkSet()
PUBLIC = ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"]
OWN = ["127.0.0.1", "127.9.9.9", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "::1", "fd12::1"]
NEVER = [
    "0.0.0.0",
    "0.1.2.3",
    "169.254.169.254",
    "169.254.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "fe80::1",
    "fe80::1%lo",
    "fec0::1",
    "ff02::1",
    "fd00:ec2::254",
    "2001:db8::1",
    "2001::1",
    "2002:7f00:1::",
    "2002:a00:1::",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::808:808",
    "::127.0.0.1",
    "::ffff:169.254.169.254",
    "no address",
    "",
]


@pytest.mark.parametrize("address", PUBLIC)
@pytest.mark.parametrize("own_host", [True, False])
def test_public_addresses_are_reached(address: str, own_host: bool) -> None:
    assert is_allowed(address, named=NONE, own_host=own_host)


@pytest.mark.parametrize("address", [*OWN, *(f"::ffff:{one}" for one in OWN if "." in one)])
def test_an_operators_own_networks_are_for_the_operators_own_host(address: str) -> None:
    assert not is_allowed(address, named=NONE, own_host=False)
    assert is_allowed(address, named=NONE, own_host=True)


@pytest.mark.parametrize("address", NEVER)
@pytest.mark.parametrize("own_host", [True, False])
def test_what_is_nobodys_host_is_never_reached(address: str, own_host: bool) -> None:
    assert not is_allowed(address, named=NONE, own_host=own_host)


@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3", "169.254.169.254", "fe80::1"])
def test_the_settings_may_name_any_network(address: str) -> None:
    named = NetworkSet.of(["10.0.0.0/8", "169.254.169.254", "fe80::/10"])
    assert is_allowed(address, named=named, own_host=False)


async def test_one_refused_address_refuses_the_host() -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return {"good": ["8.8.8.8", "1.1.1.1"], "mixed": ["8.8.8.8", "10.0.0.1"], "empty": []}[host]

    async def allowed(host: str) -> Sequence[str]:
        return await allowed_addresses(host, 443, named=NONE, own_host=False, resolve=resolve)

    assert await allowed("good") == ["8.8.8.8", "1.1.1.1"]
    for host in ("mixed", "empty"):
        with pytest.raises(AddressRefusedError):
            await allowed(host)


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost", "::1"])
async def test_other_spellings_of_loopback_are_loopback(host: str) -> None:
    with pytest.raises(AddressRefusedError):
        await allowed_addresses(host, 80, named=NONE, own_host=False, resolve=resolve_by_system)
