"""Networks that limits count by, lists of them, and SMS prefixes that are pumped."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen.core.codes.sms_traffic import Traffic, country_of, day_of, is_pumped, is_worth_an_alarm, prefix_of
from menshen.core.gates.limits import Limits
from menshen.core.networks import (
    UNKNOWN,
    Listing,
    NetworkLists,
    NetworkSet,
    parse_address,
    scales_of,
    shortened,
    site_of,
)
from menshen.core.time import DAY, Instant

LIMITS = Limits()


@pytest.mark.attack("HD-2")
@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("192.0.2.7", "192.0.2.0/24"), ("192.0.2.255", "192.0.2.0/24"), ("::ffff:192.0.2.7", "192.0.2.0/24"),
        ("::ffff:c000:207", "192.0.2.0/24"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("::1", "::/64"),
        ("fe80::1%eth0", "fe80::/64"), ("127.0.0.1", "127.0.0.0/24"), ("", UNKNOWN), ("a", UNKNOWN),
        ("192.0.2.7, 10.0.0.1", UNKNOWN), ("3221226247", UNKNOWN), ("192.0.2", UNKNOWN), ("1.2.3.4:80", UNKNOWN),
        ("١٩٢.0.2.7", UNKNOWN), ("192.0.2.07", UNKNOWN),
    ],
)  # fmt: skip
def test_limits_count_by_24_and_64_bits(ip: str, network: str) -> None:
    assert scales_of(ip)[0] == (network, 1)


@pytest.mark.attack("OT-20")
@pytest.mark.parametrize(
    ("ip", "scales", "site"),
    [
        ("192.0.2.7", [("192.0.2.0/24", 1)], "192.0.2.0/24"),
        ("::ffff:192.0.2.7", [("192.0.2.0/24", 1)], "192.0.2.0/24"),
        (
            "2001:db8:1:2345:3:4:5:6",
            [("2001:db8:1:2345::/64", 1), ("2001:db8:1:2300::/56", 2), ("2001:db8:1::/48", 4)],
            "2001:db8:1:2300::/56",
        ),
        ("no address", [(UNKNOWN, 1)], UNKNOWN),
    ],
)
def test_an_address_lies_in_a_network_of_each_scale(ip: str, scales: list[tuple[str, int]], site: str) -> None:
    assert list(scales_of(ip)) == scales
    assert site_of(ip) == site


@pytest.mark.parametrize(
    ("ip", "shown"),
    [
        ("203.0.113.9", "203.0.113.*"),
        ("::ffff:203.0.113.9", "203.0.113.*"),
        ("2001:db8:7:1::9", "2001:db8:7:*"),
        ("2001:0db8:0007:ffff::1", "2001:db8:7:*"),
        ("2001:db8::1", "2001:db8:0:*"),
        ("fe80::1%eth0", "fe80:0:0:*"),
        ("::1", "0:0:0:*"),
        ("", ""),
        ("nowhere", ""),
    ],
)
def test_a_shortened_address_names_its_network(ip: str, shown: str) -> None:
    assert shortened(ip) == shown


@given(st.ip_addresses(), st.integers(0, 255))
def test_all_addresses_of_a_network_are_shortened_alike(address, last: int) -> None:
    beside = type(address)((int(address) >> 8 << 8) | last)
    assert shortened(str(beside)) == shortened(str(address)) != ""


@pytest.mark.attack("HD-2")
@given(st.text(max_size=50))
def test_no_text_is_more_than_no_address(text: str) -> None:
    assert parse_address(text) is None or str(parse_address(text))


addresses = st.ip_addresses().map(str).map(parse_address)


@given(addresses, st.lists(st.ip_addresses(), max_size=8), st.data())
def test_a_set_holds_what_its_networks_hold(address, others, data: st.DataObject) -> None:
    networks = [
        ipaddress.ip_network(f"{ip}/{data.draw(st.integers(0, ip.max_prefixlen))}", strict=False) for ip in others
    ]
    held = any(address in network for network in networks if network.version == address.version)
    assert (address in NetworkSet.of(map(str, networks))) == held


def test_what_is_no_network_is_refused() -> None:
    for text in ("10.0.0.1/8", "x", "10.0.0.0/33", ""):
        with pytest.raises(ValueError, match=r"\S|^$"):
            NetworkSet.of([text])


def test_the_first_list_that_holds_an_address_counts() -> None:
    lists = NetworkLists(
        deny=NetworkSet.of(["10.1.0.0/16"]),
        allow=NetworkSet.of(["10.0.0.0/8", "2001:db8::/32"]),
        datacentre=NetworkSet.of(["0.0.0.0/0"]),
    )
    assert lists.listing("10.1.2.3") is Listing.DENY
    assert lists.listing("::ffff:10.1.2.3") is Listing.DENY
    assert lists.listing("10.2.2.3") is Listing.ALLOW
    assert lists.listing("2001:db8::1") is Listing.ALLOW
    assert lists.listing("192.0.2.1") is Listing.DATACENTRE
    assert lists.listing("2001:db9::1") is Listing.NONE
    assert lists.listing("nonsense") is Listing.NONE
    assert NetworkLists().listing("10.1.2.3") is Listing.NONE


def test_a_prefix_is_all_but_the_last_four_digits() -> None:
    assert prefix_of("+8613544285662") == "+861354428"
    assert country_of("+8613544285662", ("+8", "+86", "+852")) == "+86"
    assert country_of("+8613544285662", ("+1",)) == ""
    assert day_of(Instant(DAY - 1)) == 0
    assert day_of(Instant(DAY)) == 1


@pytest.mark.parametrize(
    ("sent", "verified", "pumped"),
    [
        (29, 0, False),
        (30, 0, True),
        (30, 5, True),
        (30, 6, False),
        (100, 19, True),
        (100, 20, False),
        (0, 0, False),
        (1000, 199, True),
        (1000, 200, False),
    ],
)
def test_where_codes_do_not_come_back_somebody_pumps(sent: int, verified: int, pumped: bool) -> None:
    assert is_pumped(Traffic("+861354428", "+86", sent, verified), LIMITS) is pumped


def test_an_alarm_is_given_when_it_begins_and_whenever_it_doubles() -> None:
    told = [n for n in range(500) if is_worth_an_alarm(Traffic("+861354428", "+86", n, 0), LIMITS)]
    assert told == [30, 60, 120, 240, 480]
    assert not is_worth_an_alarm(Traffic("+861354428", "+86", 30, 30), LIMITS)


def test_where_a_prefix_is_watched_from_its_first_code_the_first_one_is_told() -> None:
    from_the_first = replace(LIMITS, prefix_watch_from=0)
    told = [n for n in range(20) if is_worth_an_alarm(Traffic("+861354428", "+86", n, 0), from_the_first)]
    assert told == [1, 2, 4, 8, 16]
