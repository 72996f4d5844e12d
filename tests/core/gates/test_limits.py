"""Check the defaults of the limits, and how far the settings may move each. (docs/contracts/core.md section 4.1.)"""

from __future__ import annotations

from dataclasses import replace

import pytest

from menshen.core.gates.limits import Limits, limit_rules, send_claims
from menshen.core.networks import scales_of
from menshen.core.time import DAY, HOUR, MINUTE, SECOND

QUOTAS = {
    "factor_changes_per_account",
    "tickets_per_account",
    "notices_per_hour",
    "send_per_minute",
    "send_per_hour",
    "send_per_day",
    "send_per_address",
    "send_per_network",
    "send_share_per_hour",
    "send_share_per_day",
    "send_kept_per_hour",
    "send_kept_per_day",
    "mail_budget_per_day",
    "send_budget_per_day",
    "send_budget_per_country",
    "exist_per_network",
    "exist_free",
    "register_per_network",
    "captcha_per_network",
    "solve_per_network",
    "verify_per_network",
    "edits_per_account",
    "session_calls_per_session",
    "password_changes_per_account",
    "binds_per_account",
    "exports_per_account",
}


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("captcha_from", 4), ("pause_after", 10), ("pause", 15 * MINUTE), ("network_captcha_from", 20),
        ("network_window", 15 * MINUTE), ("suspend_after", 100), ("code_tries_per_number", 20),
        ("code_tries_window", HOUR), ("send_per_minute", 1), ("send_per_hour", 5), ("send_per_day", 10),
        ("send_per_address", 10), ("send_per_network", 60), ("send_budget_per_day", 1000),
        ("send_budget_per_country", 1000), ("exist_per_network", 60), ("exist_free", 5), ("register_per_network", 20),
        ("edits_per_account", 30), ("session_calls_per_session", 120), ("password_changes_per_account", 10),
        ("binds_per_account", 20), ("exports_per_account", 10), ("refreshes_per_session", 60), ("suspend_share", 20),
        ("send_share_per_hour", 3), ("send_share_per_day", 4), ("send_kept_per_hour", 2), ("send_kept_per_day", 4),
        ("mail_budget_per_day", 1000),
    ],
)  # fmt: skip
def test_the_defaults_are_the_contracts(name: str, default: int) -> None:
    assert getattr(Limits(), name) == default


@pytest.mark.parametrize("name", limit_rules())
def test_a_quota_may_admit_nothing_and_every_other_limit_begins_at_one(name: str) -> None:
    _, rule = limit_rules()[name]
    at_least = 0 if name in QUOTAS or name == "prefix_ratio" else 1
    if rule.is_time:
        assert (rule.least, rule.most) == (SECOND, 3650 * DAY)
    else:
        assert rule.least == at_least


@pytest.mark.parametrize("name", limit_rules())
def test_each_default_is_within_its_own_bounds(name: str) -> None:
    default, rule = limit_rules()[name]
    assert rule.least <= default <= rule.most
    assert rule.description


def test_a_share_is_of_a_hundred() -> None:
    assert limit_rules()["prefix_ratio"][1].most == 100


@pytest.mark.parametrize("per_network", [0, 5, 10, 60])
def test_a_captcha_never_costs_a_network_codes(per_network: int) -> None:
    limits = replace(Limits(), send_per_network=per_network)
    networks = scales_of("198.51.100.7")

    def most(*, solved: bool) -> int:
        claims = send_claims(limits, "+8613544285662", "198.51.100.7/32", networks, solved=solved)
        return {claim.key: claim.most for claim in claims}[("198.51.100.0/24",)]

    assert most(solved=True) == per_network
    assert most(solved=False) == min(per_network, limits.send_per_address)
